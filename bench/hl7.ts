/**
 * HL7 messages decoded in a second on one core: from the bytes of a frame to a typed event, beside the parser's library alone
 * on the same text (the ceiling), taken in turns in one run.
 *
 *   npm run bench -- hl7 [--json FILE]
 */
import { writeFile } from 'node:fs/promises';
import { arch, cpus } from 'node:os';
import { parseArgs } from 'node:util';
import { Hl7Message } from '@medplum/core';
import { decodeFrame } from '../connectors/hl7-mllp/decode.ts';
import { encodeFrame, frameDecoder } from '../connectors/hl7-mllp/framing.ts';
import { codesOf } from '../connectors/hl7-mllp/index.ts';

const rounds = 7;
const roundMs = 300;
/** The whole engine sustains 2,000 messages/s on two cores, so decoding may take a tenth of one. */
const targetPerSecond = 10_000;

const arrival = [
  'MSH|^~\\&|HIS|BV01|MACH|115|20260302070000||ADT^A04^ADT_A01|X0001|P|2.5.1||||||UNICODE UTF-8',
  'EVN|A04|20260302070000||||20260302065930',
  'PID|1||BN000001^^^BV01^MR||Nguyễn^Thử^Văn||19800101|M|||12 Đường Thử Nghiệm^^Thành phố Hồ Chí Minh||0900000000',
  'PV1|1|E|ED^R1^B2^BV01||||||||||||||||V000001|||||||||||||||||||||||||20260302065930',
  `PV2|||^Đau ngực${'|'.repeat(35)}A`,
  'OBX|1|CWE|11283-9^Acuity^LN||2^Emergent^ESI||||||F|||20260302070500',
  'DG1|1||R07.4^Đau ngực^I10',
  '',
].join('\r');
const update = arrival.replaceAll('A04', 'A08').replace('X0001', 'X0002');

export interface Hl7BenchResult {
  readonly cpu: string;
  /** Messages per second, medians of the rounds. */
  readonly decoded: number;
  readonly library: number;
  readonly framed: number;
  /** Time of the whole decoding, in units of the library's. */
  readonly ratio: number;
  readonly microsecondsPerMessage: number;
  readonly target: number;
}

export async function run(args: string[]): Promise<void> {
  const { values } = parseArgs({ args, options: { json: { type: 'string' } } });
  const result = measure();
  const whole = (value: number) => Math.round(value).toLocaleString('en');
  console.log(`hl7: ${whole(result.decoded)} messages/s decoded (${result.microsecondsPerMessage.toFixed(1)} us each)`);
  console.log(
    `     ${whole(result.library)} messages/s by the library alone: decoding takes ${result.ratio.toFixed(2)} times as long`,
  );
  console.log(`     ${whole(result.framed)} messages/s taken out of MLLP frames`);
  console.log(`     target ${whole(result.target)}: ${result.decoded >= result.target ? 'met' : 'missed'}`);
  if (values.json) await writeFile(values.json, `${JSON.stringify(result, null, 2)}\n`);
}

export function measure(): Hl7BenchResult {
  const codes = codesOf({ observations: {} });
  const options = { zone: 'Asia/Ho_Chi_Minh', charset: 'UTF-8', codes, receivedAt: 0 };
  const texts = [arrival, update];
  const bytes = texts.map((text) => Buffer.from(text));
  const stream = Buffer.concat(Array.from({ length: 50 }, () => bytes.map((message) => encodeFrame(message))).flat());
  const subjects = {
    decoded: () => {
      for (const message of bytes) if (decodeFrame(message, options)[0]?.failure) throw new Error('message not read');
      return bytes.length;
    },
    library: () => {
      for (const text of texts) Hl7Message.parse(text);
      return texts.length;
    },
    framed: () => frameDecoder({ messageBytesMax: 1_000_000 }).push(stream).length,
  };
  const rates: Record<keyof typeof subjects, number[]> = { decoded: [], library: [], framed: [] };
  for (let round = 0; round < rounds; round += 1) {
    for (const [name, work] of Object.entries(subjects)) rates[name as keyof typeof subjects].push(rateOf(work));
  }
  const [decoded, library, framed] = [rates.decoded, rates.library, rates.framed].map(medianOf) as [
    number,
    number,
    number,
  ];
  return {
    cpu: `${cpus()[0]?.model ?? 'unknown'} (${arch()})`,
    decoded,
    library,
    framed,
    ratio: library / decoded,
    microsecondsPerMessage: 1e6 / decoded,
    target: targetPerSecond,
  };
}

function rateOf(work: () => number): number {
  const begin = performance.now();
  let messages = 0;
  while (performance.now() - begin < roundMs) messages += work();
  return (messages / (performance.now() - begin)) * 1000;
}

function medianOf(values: readonly number[]): number {
  return [...values].sort((a, b) => a - b)[Math.floor(values.length / 2)] ?? 0;
}
