/**
 * Functions written for one expression: what closures over its parts would compute, as one function that V8 can see through
 * (docs/decisions/0019). Their text is made of fixed pieces, names that are plain identifiers, and numbers; every other value is handed in.
 */
import { compile, fieldReader, isPlain } from './compiled-access.ts';
import type { Event } from './schema.ts';

type Evaluate = (event: Event) => unknown;

/** Gives the text of an expression of JavaScript. */
export type Write = (writer: CodeWriter) => string;

/** A text that may be wanted in several places of the function. */
interface SharedText {
  readonly text: string;
  /** How often it stands in the function. */
  readonly places: number;
}

/** Stands for a shared text until all has been written, and it is known how often each is wanted. */
const sharedAt = /@(\d+)@/g;

/** Where the fields stand: in the object `event`, or in columns, of which `row` is the row. */
export abstract class CodeWriter {
  private readonly values: unknown[] = [];
  private temporaries = 0;
  /** By the text without the numbers of its variables. */
  private readonly sharedTexts = new Map<string, SharedText>();

  /** The value of a field as it stands there: null or undefined where it is absent. */
  abstract field(name: string): string;
  /** What a function of the event gives. */
  abstract call(evaluate: Evaluate): string;

  /** What a loop has before it, and at the beginning of each round. */
  protected opening(): string {
    return '';
  }
  protected abstract row(): string;

  /** Stands for a value. */
  given(value: unknown): string {
    const known = this.values.indexOf(value);
    return `given${known < 0 ? this.values.push(value) - 1 : known}`;
  }

  /** A constant; numbers stand in the text, where V8 sees them. */
  constant(value: unknown): string {
    if (typeof value === 'number' && Number.isFinite(value)) return Object.is(value, -0) ? '-0' : `(${value})`;
    return value === null || typeof value === 'boolean' ? String(value) : this.given(value);
  }

  /** Whether two expressions have one text, with the same values handed in. */
  isSameText(one: Write, other: Write): boolean {
    const { temporaries } = this;
    const text = one(this);
    this.temporaries = temporaries;
    return text === other(this);
  }

  /** A variable for what is read more than once. */
  temporary(): string {
    return `value${this.temporaries++}`;
  }

  /**
   * For a text that takes time, and depends on the event and on its own variables alone: where it stands more than once, its value is computed where it
   * is first wanted, if at all, and kept for the others.
   */
  shared(text: string): string {
    const { sharedTexts } = this;
    const wanted = withoutNumbers(text);
    const known = sharedTexts.get(wanted) ?? { text, places: 0 };
    sharedTexts.set(wanted, { ...known, places: known.places + 1 });
    return `@${[...sharedTexts.keys()].indexOf(wanted)}@`;
  }

  private withShared(body: string): string {
    const all = [...this.sharedTexts.values()];
    const filled = (part: string): string =>
      part.replace(sharedAt, (_, at: string) => {
        const { text, places } = all[Number(at)] as SharedText;
        const value = filled(text);
        // Nothing of the language is undefined.
        return places === 1 ? value : `(shared${at} !== undefined ? shared${at} : (shared${at} = ${value}))`;
      });
    return filled(body);
  }

  /** `let value0, value1, shared0;` */
  protected declarations(): string {
    const values = Array.from({ length: this.temporaries }, (_, at) => `value${at}`);
    const shared = [...this.sharedTexts.values()].map(({ places }, at) => (places > 1 ? [`shared${at}`] : []));
    const names = [...values, ...shared.flat()];
    return names.length === 0 ? '' : `let ${names.join(', ')};`;
  }

  /** A loop over rows of `from`, of which `at` is the place among those that are handed in. */
  compileLoop<Made>(
    parameters: string,
    { before, body, after }: { before: string; body: string; after: string },
  ): Made {
    return this.make(
      `from, offset, rows, count${parameters}`,
      `${this.opening()} ${before}
      for (let at = 0; at < count; at++) {
        ${this.row()}
        ${this.declarations()}
        ${body}
      }
      ${after}`,
    );
  }

  /** A function of these parameters, whose text may use all that was given. */
  protected make<Made>(parameters: string, body: string): Made {
    const names = this.values.map((_, at) => `given${at}`);
    const open = compile<(...values: unknown[]) => Made>(
      names,
      `return (${parameters}) => { ${this.withShared(body)} };`,
    );
    return open(...this.values);
  }
}

/** A variable of `temporary`, as a whole word, and not the field of this name behind a dot. */
const temporaryName = /(?<![\p{ID_Continue}$.])value\d+(?![\p{ID_Continue}$])/gu;

/** The same for texts that differ in the numbers of their variables alone. */
function withoutNumbers(text: string): string {
  const known: string[] = [];
  return text.replace(temporaryName, (name) => {
    if (!known.includes(name)) known.push(name);
    return `value#${known.indexOf(name)}`;
  });
}

/** Over an object. */
export class EventCode extends CodeWriter {
  field(name: string): string {
    return isPlain(name) ? `event.${name}` : `${this.given(fieldReader(name))}(event)`;
  }

  call(evaluate: Evaluate): string {
    return `${this.given(evaluate)}(event)`;
  }

  /** A function that does something with an event. */
  compileBody<Made>(parameters: string, body: string): Made {
    return this.make(parameters, `${this.declarations()} ${body}`);
  }

  compile(write: Write): Evaluate {
    const text = write(this);
    return this.make('event', `${this.declarations()} return ${text};`);
  }

  protected row(): string {
    return 'const event = from[rows[at] + offset];';
  }
}

/** Over rows of columns; cannot be made where a part is a function of the whole event. */
export class ColumnCode extends CodeWriter {
  /** Whose columns the functions are handed, in this order. */
  readonly names: string[] = [];
  /** False once a part needs the event. */
  isPossible = true;

  field(name: string): string {
    const known = this.names.indexOf(name);
    return `column${known < 0 ? this.names.push(name) - 1 : known}[row]`;
  }

  call(): string {
    this.isPossible = false;
    return 'null';
  }

  protected override opening(): string {
    return this.names.map((_, at) => `const column${at} = from[${at}];`).join(' ');
  }

  protected row(): string {
    return 'const row = rows[at] + offset;';
  }
}
