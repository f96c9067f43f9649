import { createHash } from 'node:crypto';
import { type DeadLetterEntry, isCut, rawReader } from '../../execution/dead-letters/book.ts';
import { landingOf } from '../../execution/landing.ts';
import { hidePersonal } from '../../observe/personal.ts';
import { hidden } from '../../stream/privacy.ts';
import type { Event, Schema } from '../../stream/schema.ts';
import type { BoundTopology } from '../../topology/bound.ts';
import { auditFile, reasonOf, recordReveal } from '../audit.ts';
import type { CommandContext } from '../context.ts';
import { cliErrors } from '../errors.ts';
import { compareWithLast } from '../last-version.ts';
import { letterToJson } from './list.ts';
import { findEntry, type OpenDeadLetters, withDeadLetters } from './open.ts';
import { describeState, stateOf } from './state.ts';

export interface ShowFlags {
  readonly data: string;
  readonly reveal?: true;
  readonly reason?: string;
  readonly json?: true;
}

/** What a letter holds, as far as it may be seen. */
interface Content {
  readonly bytes: number;
  /** Only where it is revealed: whoever guesses a name or a number can tell by it that the guess is right. */
  readonly sha256?: string;
  /** What came was longer than what was kept. */
  readonly cut: boolean;
  /** Of a source, when it is revealed: as text, or in base64 where it is none. */
  readonly text?: string;
  readonly base64?: string;
  /** Of an operator or a sink: the event, personal fields hidden unless they are revealed. */
  readonly event?: Event;
}

export async function showDeadLetter(
  file: string,
  id: string,
  flags: ShowFlags,
  context: CommandContext,
): Promise<void> {
  if (flags.reveal) reasonOf(flags.reason);
  await withDeadLetters(file, flags, context, async (open) => {
    const book = await open.book();
    const entry = findEntry(book.entries, id);
    const raw = open.deadLetters && (await rawReader(open.deadLetters)(entry));
    if (!raw) throw cliErrors.make('MACH1631', { id, reason: 'it is no longer in the log' });
    if (flags.reveal) await writeDown(entry, open, flags, context);
    else if (open.objects) await compareWithLast(open.objects, open.topology, { context, reveals: false });
    const content = contentOf(entry, raw, open.topology, flags.reveal === true);
    const state = await stateOf(book, entry, open);
    if (flags.json) {
      context.print(JSON.stringify({ ...letterToJson({ entry, state }), content }, null, 2));
      return;
    }
    for (const line of describe(entry, describeState(state), content)) context.print(line);
  });
}

async function writeDown(
  { id, node }: DeadLetterEntry,
  { topology }: OpenDeadLetters,
  { data, reason }: ShowFlags,
  context: CommandContext,
): Promise<void> {
  const subject = { letter: id, node };
  await recordReveal({
    directory: data,
    env: context.env,
    action: 'dead-letter show',
    topology: topology.name,
    subject,
    reason,
  });
  context.printError(`That you looked is written down in ${auditFile} in ${data}.`);
}

function contentOf(entry: DeadLetterEntry, raw: Uint8Array, topology: BoundTopology, reveal: boolean): Content {
  const sha256 = createHash('sha256').update(raw).digest('hex');
  const about = { bytes: raw.length, ...(reveal && { sha256 }), cut: isCut(raw) };
  if (entry.kind === 'decode') return reveal ? { ...about, ...textOf(raw) } : about;
  const event = eventOf(raw);
  if (!event) return reveal ? { ...about, ...textOf(raw) } : about;
  return { ...about, event: reveal ? event : hidePersonal(event, schemaOf(entry, topology)) };
}

function textOf(raw: Uint8Array): Pick<Content, 'text' | 'base64'> {
  try {
    return { text: new TextDecoder('utf-8', { fatal: true }).decode(raw) };
  } catch {
    return { base64: Buffer.from(raw).toString('base64') };
  }
}

/** Undefined where it was cut. */
function eventOf(raw: Uint8Array): Event | undefined {
  try {
    return JSON.parse(Buffer.from(raw).toString()) as Event;
  } catch {
    return undefined;
  }
}

/** Of the input that it came by; without one every value is hidden. */
function schemaOf({ node, input }: DeadLetterEntry, topology: BoundTopology): Schema {
  const landing = landingOf(topology, node, { input, events: [] });
  if ('problem' in landing) return { fields: {} };
  const nodes = [...topology.operators, ...topology.sinks];
  const edges = nodes.find(({ id }) => id === node)?.inputs;
  return edges?.find((edge) => edge.input === landing.input)?.schema ?? { fields: {} };
}

function describe(entry: DeadLetterEntry, state: string, content: Content): string[] {
  const { id, kind, node, input, code, reason, place, sequence, storedAt, time, attempts, first, previous } = entry;
  const lines: [string, string][] = [
    ['letter', id],
    ['of', `${kind} ${node}${input === null ? '' : `, input ${input}`}`],
    ['why', `${code}  ${reason}`],
    ['since', new Date(storedAt).toISOString()],
    [kind === 'decode' ? 'accepted' : 'event time', new Date(time).toISOString()],
    ['source', `sequence ${sequence} of the input log`],
    ['place', place === null ? 'none' : JSON.stringify(place)],
    ['attempts', previous === null ? String(attempts) : `${attempts}; first ${first}, before ${previous}`],
    ['state', state],
    [
      'holds',
      `${content.bytes} bytes${content.cut ? ', cut' : ''}${content.sha256 === undefined ? '' : `, sha256 ${content.sha256}`}`,
    ],
  ];
  return [...lines.map(([name, text]) => `${name.padEnd(11)} ${text}`), '', ...describeContent(content)];
}

function describeContent({ text, base64, event }: Content): string[] {
  // Messages of HL7 have carriage returns between their segments, which would write over each other.
  if (text !== undefined) return text.split(/\r\n|\r|\n/);
  if (base64 !== undefined) return [base64];
  const more = '--reveal shows it, and writes down who looked.';
  if (!event) return [`What came is not shown, as it may name a person. ${more}`];
  const shown = JSON.stringify(event, null, 2).split('\n');
  return JSON.stringify(event).includes(hidden) ? [...shown, '', `What points at a person is hidden. ${more}`] : shown;
}
