/** `mach decode feed-115 FILE`: one item on each line, as JSON of the proto (names as in the proto; enums by name or number). */
import {
  type DeadLetter,
  type DecodeResult,
  jsonProblem,
  limits,
  type SourceEvent,
} from '../../runtime/stream/index.ts';
import { feedErrors } from './errors.ts';
import { isProblem, readItem } from './items.ts';
import { itemMessage, loadProto } from './proto.ts';
import type { Item } from './wire.ts';

interface Message {
  serialize(value: object): Buffer;
  deserialize(bytes: Buffer): object;
}

/** Through the wire and back, so that a file is read exactly as a request would be. */
function parseLine(line: string, message: Message): Item {
  const value: unknown = JSON.parse(line);
  if (typeof value !== 'object' || value === null || Array.isArray(value)) throw new Error('it is not an object');
  return message.deserialize(message.serialize(value)) as Item;
}

export async function decodeItems(content: Uint8Array, name: string, timeMax: number): Promise<DecodeResult> {
  const { definition } = await loadProto();
  const message = definition[itemMessage] as unknown as Message;
  const events: SourceEvent[] = [];
  const deadLetters: DeadLetter[] = [];
  const lines = new TextDecoder().decode(content).split('\n');
  for (const [index, line] of lines.entries()) {
    if (line.trim() === '') continue;
    const dead = (code: string, reason: string) => {
      const raw = Buffer.from(line).subarray(0, limits.deadLetterBytesMax);
      deadLetters.push({ code, reason, raw, place: { file: name, line: index + 1 } });
    };
    let item: Item;
    try {
      item = parseLine(line, message);
    } catch (error) {
      const problem = feedErrors.make('MACH2115', { reason: jsonProblem(error) });
      dead(problem.code, problem.message);
      continue;
    }
    const result = readItem(item, { centre: name, timeMax });
    if (isProblem(result)) dead(result.code, result.reason);
    else events.push({ ...result, raw: line });
  }
  return { events, deadLetters };
}
