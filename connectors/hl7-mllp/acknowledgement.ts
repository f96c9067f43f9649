/**
 * Replies (chapter 2.9). Original mode: AA, AE, AR. Enhanced mode, which MSH-15 or MSH-16 ask for: CA, CE, CR when MSH-15 asks,
 * else AA, AE, AR when MSH-16 asks; none when neither does. One message has one reply: the engine stores, so it can say
 * no more than that it has stored, and that is the accept level when the sender wants it.
 */
import type { Header } from './message.ts';
import { formatTime } from './time.ts';

/** accepted: stored. error: not stored, send again. rejected: kept as a dead letter, sending it again would not help. */
export type Verdict = 'accepted' | 'error' | 'rejected';

export interface Reply {
  readonly header: Header | undefined;
  readonly verdict: Verdict;
  /** Code of our own, MACH2013, and its text. */
  readonly code?: string | undefined;
  readonly reason?: string | undefined;
  /** Ms since the epoch; minutes east for the zone that it is written in. */
  readonly at: number;
  readonly offsetMin: number;
  /** MSH-10 of the reply. */
  readonly id: string;
}

/** HL7 table 0357. */
const conditions: Readonly<Record<string, readonly [string, string]>> = {
  MACH2012: ['200', 'Unsupported message type'],
  MACH2013: ['203', 'Unsupported version id'],
  MACH2014: ['102', 'Data type error'],
  MACH2015: ['100', 'Segment sequence error'],
  MACH2010: ['100', 'Segment sequence error'],
};

/** Bytes of the reply without framing, or null when the sender wants none. */
export function acknowledgementOf({ header, verdict, code, reason, at, offsetMin, id }: Reply): Buffer | null {
  const answer = answerCode(header, verdict);
  if (answer === null) return null;
  const field = header?.context.fieldSeparator ?? '|';
  const part = header?.context.componentSeparator ?? '^';
  const sent = (index: number) => header?.fields[index] ?? '';
  const trigger = sent(9).split(part)[1] ?? '';
  const lines = [
    [
      'MSH',
      header?.encodingCharacters || '^~\\&',
      sent(5),
      sent(6),
      sent(3),
      sent(4),
      formatTime(at, offsetMin),
      '',
      /^\w{1,5}$/.test(trigger) ? `ACK${part}${trigger}${part}ACK` : 'ACK',
      id,
      sent(11) || 'P',
      sent(12) || '2.5.1',
      '',
      '',
      '',
      '',
      '',
      sent(18),
    ],
    ['MSA', answer, sent(10), ...(reason === undefined ? [] : [textOf(reason, header)])],
  ];
  if (verdict !== 'accepted') lines.push(errorSegment({ header, code, reason, part }));
  const text = lines.map((fields) => `${fields.join(field).replace(/\s+$/, '')}\r`).join('');
  // Latin-1, as the header was read so: its bytes go back as they came, whatever their character set.
  return Buffer.from(text, 'latin1');
}

function errorSegment({
  header,
  code,
  reason,
  part,
}: {
  header: Header | undefined;
  code: string | undefined;
  reason: string | undefined;
  part: string;
}): string[] {
  const [condition, name] = conditions[code ?? ''] ?? ['207', 'Application internal error'];
  // ERR-5 is the application's own code, ERR-7 for the log, ERR-8 for people (version 2.5 on).
  return [
    'ERR',
    '',
    '',
    [condition, name, 'HL70357'].join(part),
    'E',
    code ?? '',
    '',
    '',
    textOf(reason ?? '', header),
  ];
}

function answerCode(header: Header | undefined, verdict: Verdict): string | null {
  const accept = (header?.fields[15] ?? '').trim().toUpperCase();
  const application = (header?.fields[16] ?? '').trim().toUpperCase();
  const letter = verdict === 'accepted' ? 'A' : verdict === 'error' ? 'E' : 'R';
  if (accept === '' && application === '') return `A${letter}`;
  if (isAskedFor(accept, verdict)) return `C${letter}`;
  if (isAskedFor(application, verdict)) return `A${letter}`;
  return null;
}

/** Table 0155. An empty field beside a valued one means never; what is no value of the table, always. */
function isAskedFor(condition: string, verdict: Verdict): boolean {
  if (condition === '' || condition === 'NE') return false;
  if (condition === 'SU') return verdict === 'accepted';
  if (condition === 'ER') return verdict !== 'accepted';
  return true;
}

/** Our own texts, with the sender's separators escaped, in ASCII and on one line. */
function textOf(text: string, header: Header | undefined): string {
  const context = header?.context;
  const mark = context?.escapeCharacter ?? '\\';
  const names: Readonly<Record<string, string>> = {
    [mark]: 'E',
    [context?.fieldSeparator ?? '|']: 'F',
    [context?.componentSeparator ?? '^']: 'S',
    [context?.repetitionSeparator ?? '~']: 'R',
    [context?.subcomponentSeparator ?? '&']: 'T',
  };
  const plain = text.replace(/[\r\n\t]+/g, ' ').replace(/[^\x20-\x7e]/g, '?');
  return [...plain.slice(0, 200)]
    .map((character) => (names[character] === undefined ? character : `${mark}${names[character]}${mark}`))
    .join('');
}
