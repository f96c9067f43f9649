/** The answer to "why" for people. */
import { counted } from '../../counted.ts';
import type { WhyMessage, WhyReport, WhyState, WhyStep } from '../../execution/why/report.ts';

const valueCharacters = 60;
const fieldsShown = 14;
const textLines = 40;

/** `all`: also the messages that only moved time, and every field. */
export function describeReport(report: WhyReport, { all }: { all: boolean }): string[] {
  const { result } = report;
  const place = `${result.stage}/${result.partition}/${result.sequence}/${result.index}`;
  return [
    `${result.table ?? result.sink} ${place}   at ${result.time}`,
    `  ${describeFields(result.row, { all })}`,
    '',
    'How it came about, from the result back to what was sent',
    ...report.steps.slice(1).flatMap((step) => describeStep(step, { all })),
    '',
    ...describeBeginning(report),
    ...describeMessages(report, { all }),
    '',
    ...describeReplay(report),
  ];
}

function describeStep(step: WhyStep, { all }: { all: boolean }): string[] {
  const pad = '  '.repeat(Math.min(step.depth, 12));
  const lines = [`${pad}${step.node}  (${step.definition})${describeVia(step)}`];
  const inner = `${pad}    `;
  if (step.message !== null) lines.push(`${inner}message ${step.message}`);
  else lines.push(`${inner}${describeCause(step)}`);
  if (step.out) lines.push(`${inner}out  ${step.out.time}  ${describeFields(step.out.event, { all })}`);
  for (const { option, text, values, result, of_many: isOfMany } of step.conditions) {
    const read = Object.entries(values).map(([name, value]) => `${name} ${short(value)}`);
    if (read.length > 0 && isOfMany) lines.push(`${inner}${option}: ${text}  the newest event has ${read.join(', ')}`);
    else if (read.length > 0) lines.push(`${inner}${option}: ${text}  with ${read.join(', ')}  gives ${short(result)}`);
    else if (result === null) lines.push(`${inner}${option}: ${text}`);
  }
  for (const state of step.state) lines.push(...describeState(state).map((line) => `${inner}${line}`));
  return lines;
}

function describeVia({ via }: WhyStep): string {
  if (via.kind === 'state') return `  it had changed the state "${via.name}" last`;
  if (via.kind === 'timer') return `  it had set the timer "${via.name}"`;
  return '';
}

function describeCause({ by, in: came }: WhyStep): string {
  if (by.kind === 'event') return came ? `an event came in, of ${came.time}` : 'an event came in';
  const what = by.kind === 'timer' ? `its timer "${by.timer}" of ${by.time} was due` : `time had come to ${by.time}`;
  return `no event: ${what}; message ${by.moved_by} moved time on`;
}

function describeState({ state, key, before, after, changes, complete, newest }: WhyState): string[] {
  const name = `state ${state}[${describeKey(key)}]`;
  const isKnown = before !== null || after !== null;
  const lines = [isKnown ? `${name} before: ${short(before, 400)}` : name];
  if (JSON.stringify(before) !== JSON.stringify(after)) lines.push(`  after: ${short(after, 400)}`);
  if (changes === 0) lines.push('  not changed within what was looked at');
  else {
    const since = complete ? 'since it had no state' : 'within what was looked at';
    const named = newest.map(({ message, by }) => (by === 'event' ? message : `${message} (${by})`));
    lines.push(`  changed ${counted(changes, 'time')} ${since}; newest by ${named.join(', ')}`);
  }
  return lines;
}

/** Of several fields with their names. */
function describeKey(key: unknown): string {
  return key !== null && typeof key === 'object' ? describeFields({ ...key }, { all: true }) : String(key);
}

function describeBeginning({ began, began_earlier: earlier }: WhyReport): string[] {
  if (earlier) return ['It began before what was looked at: the state above holds what came earlier.'];
  if (!began) return [];
  const moment = began.time === null ? '' : ` (${began.time})`;
  return [`It began with message ${began.message}${moment}: the state that gave the row is no older.`];
}

function describeMessages({ messages, more, names_more: namesMore }: WhyReport, { all }: { all: boolean }): string[] {
  const shown = all ? messages : messages.filter(({ listed }) => listed);
  const lines = ['', 'The messages'];
  for (const message of shown) lines.push(...describeMessage(message, { all }));
  const unlisted = all ? [] : messages.filter(({ listed }) => !listed);
  const rest = (['cause', 'progress'] as const).flatMap((role) => {
    const count = unlisted.filter((message) => message.role === role).length;
    return count > 0 ? [`${count} ${restOf[role]}`] : [];
  });
  if (rest.length > 0) lines.push(`  and ${rest.join(', ')}: --all shows them`);
  if (more)
    lines.push(
      `  Earlier ones mattered too; what they did is in the state${namesMore ? ': --messages N names more' : ''}.`,
    );
  return lines;
}

const restOf = { cause: 'more that are part of it', progress: 'that only let time come so far' } as const;

const roles = { cause: 'is part of it', time: 'moved time on', progress: 'let time come so far' } as const;

function describeMessage(message: WhyMessage, { all }: { all: boolean }): string[] {
  const { place, source, origin, role, accepted_at: accepted, mark, sender_place: senderPlace, note } = message;
  const from = origin === null ? source : `${source} from ${origin}`;
  const lines = [`  ${place}  ${from}, accepted ${accepted ?? 'at an unknown time'}: ${roles[role]}`];
  const atSender = senderPlace ? describeFields(senderPlace, { all: true }) : mark;
  if (atSender !== null) lines.push(`      place at the sender: ${atSender}`);
  if (note !== null) lines.push(`      ${message.kind}: ${note}`);
  for (const { time, event } of message.events) lines.push(`      ${time}  ${describeFields(event, { all })}`);
  lines.push(...describeText(message));
  return lines;
}

function describeText({ text, text_characters: characters }: WhyMessage): string[] {
  if (text === null || characters === null) return [];
  if (text === '•••') return [`      its text, ${characters} characters, is hidden: --reveal`];
  const lines = text.split(/\r\n|\r|\n/).filter((line) => line !== '');
  const rest = lines.length > textLines ? [`      | ... ${lines.length - textLines} more lines`] : [];
  return [...lines.slice(0, textLines).map((line) => `      | ${line}`), ...rest];
}

function describeReplay({ replay, messages, log }: WhyReport): string[] {
  const isOne = messages.length === 1;
  const count = isOne ? 'this message' : `these ${messages.length} messages`;
  const lines: string[] = [];
  if (replay.verified === true)
    lines.push(
      `Tried: ${count}, replayed alone from the state before message ${replay.before}, ${isOne ? 'gives' : 'give'} the same row.`,
    );
  else if (replay.verified === null)
    lines.push('Whether these messages alone give the row was not tried (--no-verify).');
  else lines.push(`Tried: ${count}, replayed alone, ${isOne ? 'does' : 'do'} NOT give the row.`);
  if (replay.shortened) lines.push('More mattered, but what came between did too: so only the newest are named.');
  if (log.missing > 0)
    lines.push(`The log no longer has its first ${log.missing} messages: the state may lack what they said.`);
  return lines;
}

function describeFields(event: Readonly<Record<string, unknown>>, { all }: { all: boolean }): string {
  const entries = Object.entries(event).filter(([, value]) => all || (value !== null && !isEmptyList(value)));
  const shown = all ? entries : entries.slice(0, fieldsShown);
  const rest = entries.length - shown.length;
  const text = shown.map(([name, value]) => `${name} ${short(value, all ? 400 : valueCharacters)}`).join(', ');
  return rest > 0 ? `${text}, and ${rest} more` : text;
}

const isEmptyList = (value: unknown) => Array.isArray(value) && value.length === 0;

function short(value: unknown, charactersMax = valueCharacters): string {
  const text = typeof value === 'string' ? value : JSON.stringify(value ?? null);
  const line = text.replace(/\s+/g, ' ');
  return line.length > charactersMax ? `${line.slice(0, charactersMax - 1)}…` : line;
}
