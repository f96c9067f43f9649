/**
 * Evaluations of `kind == "arrival" && minutes > 240.0` in a second, on one core: ours, the same in hand-written JavaScript
 * (the ceiling) and cel-js's own evaluator (what we would have without a compiler), taken in turns in one run.
 *
 *   npm run bench -- expression [--json FILE]
 */
import { writeFile } from 'node:fs/promises';
import { arch, cpus } from 'node:os';
import { parseArgs } from 'node:util';
import { Environment } from '@marcbachmann/cel-js';
import { compileExpression } from '../runtime/expression/index.ts';
import { defineSchema, type Event, field } from '../runtime/stream/schema.ts';

const source = 'kind == "arrival" && minutes > 240.0';
const schema = defineSchema({
  hospital: field.string(),
  kind: field.string({ values: ['arrival', 'discharge', 'transfer'] }),
  minutes: field.float(),
  beds: field.int({ nullable: true }),
  department: field.string(),
});
const eventsCount = 10_000;
const rounds = 7;
const roundMs = 300;
/** What the project asks of itself. */
const targetPerSecond = 25_000_000;

type Condition = (event: Event) => unknown;

export async function run(args: string[]): Promise<void> {
  const { values } = parseArgs({ args, options: { json: { type: 'string' } } });
  const events = makeEvents();
  const alone = compile(source);
  const subjects: [string, Condition][] = [
    ['hand-written JavaScript', (event) => event.kind === 'arrival' && (event.minutes as number) > 240],
    ['mach', alone],
    ['cel-js', peer()],
  ];
  const expected = count(subjects[0]?.[1] as Condition, events);
  for (const [name, condition] of subjects) {
    if (count(condition, events) !== expected) throw new Error(`${name} finds another number of events`);
  }
  const rates = measureInTurns(subjects, events);
  // In a running engine many expressions share the closures' code, which costs V8 its sharpest feedback.
  const others = makeOthers();
  for (let pass = 0; pass < 3; pass++) for (const condition of others) count(condition, events);
  const [crowded] = measureInTurns([['mach, one among 41 expressions', compile(source)]], events, () => {
    for (const condition of others) count(condition, events);
  });
  report([...rates, crowded as Rate]);
  if (values.json !== undefined)
    await writeFile(values.json, `${JSON.stringify(resultOf([...rates, crowded as Rate]), null, 2)}\n`);
}

interface Rate {
  readonly name: string;
  readonly perSecond: number;
  readonly least: number;
  readonly most: number;
}

function makeEvents(): Event[] {
  const kinds = ['arrival', 'discharge', 'transfer'];
  return Array.from({ length: eventsCount }, (_, index) => ({
    hospital: `H${index % 50}`,
    kind: kinds[(index * 7) % 3],
    // Never whole, so that all are doubles, as they come out of a frame's column.
    minutes: ((index * 7919) % 480) + 0.5,
    beds: index % 4 === 0 ? null : index % 40,
    department: 'ED',
  }));
}

function compile(text: string): Condition {
  const compiled = compileExpression(text, schema, { wanted: 'bool' });
  if (!compiled.ok) throw new Error(compiled.problems.map(({ message }) => message).join('; '));
  return compiled.evaluate;
}

function peer(): Condition {
  const environment = new Environment().registerVariable('kind', 'string').registerVariable('minutes', 'double');
  const parsed = environment.parse(source);
  parsed.check();
  return (event) => parsed(event);
}

function count(condition: Condition, events: readonly Event[]): number {
  let found = 0;
  for (const event of events) if (condition(event) === true) found++;
  return found;
}

function makeOthers(): Condition[] {
  return Array.from({ length: 40 }, (_, index) => {
    const name = index % 2 === 0 ? 'minutes' : 'beds';
    const text = [
      `${name} > ${index} && hospital == "H${index}"`,
      `kind != "transfer" || ${name} <= ${index}`,
      `department == "ED" && (${name} > ${index} || hospital != "H${index}") && has(beds)`,
      `hospital == "H${index}" && ${name} > ${index}`,
    ][index % 4] as string;
    return compile(text);
  });
}

/** Rounds of all subjects in turns, so that a slow moment of the machine hits all; the median counts. */
function measureInTurns(
  subjects: readonly (readonly [string, Condition])[],
  events: readonly Event[],
  between = () => {},
): Rate[] {
  const measured = subjects.map(() => [] as number[]);
  for (let round = 0; round <= rounds; round++) {
    for (const [index, [, condition]] of subjects.entries()) {
      between();
      const perSecond = measure(condition, events);
      // The first round only warms up.
      if (round > 0) measured[index]?.push(perSecond);
    }
  }
  return subjects.map(([name], index) => {
    const sorted = (measured[index] as number[]).sort((a, b) => a - b);
    return {
      name,
      perSecond: sorted[Math.floor(sorted.length / 2)] as number,
      least: sorted[0] as number,
      most: sorted.at(-1) as number,
    };
  });
}

let sink = 0;

function measure(condition: Condition, events: readonly Event[]): number {
  const start = process.hrtime.bigint();
  let evaluations = 0;
  let elapsedMs = 0;
  while (elapsedMs < roundMs) {
    for (let pass = 0; pass < 10; pass++) sink += count(condition, events);
    evaluations += 10 * events.length;
    elapsedMs = Number(process.hrtime.bigint() - start) / 1e6;
  }
  return (evaluations / elapsedMs) * 1000;
}

function resultOf(rates: readonly Rate[]) {
  return {
    benchmark: 'expression',
    expression: source,
    events: eventsCount,
    rounds,
    roundMs,
    node: process.version,
    processor: `${cpus()[0]?.model ?? 'unknown'} (${arch()})`,
    targetPerSecond,
    rates,
  };
}

function report(rates: readonly Rate[]): void {
  const reference = rates.find(({ name }) => name === 'mach')?.perSecond ?? Number.NaN;
  console.log(
    `${source}\n${eventsCount} events, one core, median of ${rounds} rounds of ${roundMs} ms, node ${process.version}\n`,
  );
  for (const { name, perSecond, least, most } of rates) {
    const range = `${millions(least)} to ${millions(most)}`;
    console.log(
      `${name.padEnd(36)} ${millions(perSecond).padStart(7)} M/s  (${range})  ${(perSecond / reference).toFixed(2)} x mach`,
    );
  }
  const met = reference >= targetPerSecond ? 'met' : 'not met';
  console.log(`\ntarget ${millions(targetPerSecond)} M/s: ${met} (${sink > 0 ? 'checked' : 'nothing found'})`);
}

function millions(perSecond: number): string {
  return (perSecond / 1e6).toFixed(1);
}
