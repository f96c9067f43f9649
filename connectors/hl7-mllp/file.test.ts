import { describe, expect, it } from 'vitest';
import { corpusMessages, decodeOptions } from './corpus.fixture.ts';
import { decodeFile } from './file.ts';
import { encodeFrame } from './framing.ts';
import { testMessage } from './server.fixture.ts';

function decode(content: string | Buffer) {
  const { events, deadLetters } = decodeFile(Buffer.from(content as string), 'x.hl7', decodeOptions);
  return { ids: events.map(({ event }) => event.message_id), codes: deadLetters.map(({ code }) => code) };
}

const two = testMessage('A') + testMessage('B');

describe('files', () => {
  it.each([
    ['of several messages', two, ['A', 'B'], []],
    ['of one line feed between segments', two.replaceAll('\r', '\n'), ['A', 'B'], []],
    ['of frames', Buffer.concat([encodeFrame(testMessage('A')), encodeFrame(testMessage('B'))]), ['A', 'B'], []],
    ['of frames without ends', `\v${testMessage('A')}\v${testMessage('B')}`, ['A', 'B'], []],
    ['of frames with noise', `noise\v${testMessage('A')}\x1c\r`, ['A'], ['MACH2002']],
    ['of a batch', `FHS|^~\\&\rBHS|^~\\&\r${two}BTS|2\rFTS|1\r`, ['A', 'B'], []],
    [
      'of JSON lines',
      `${JSON.stringify({ message: two })}\n\n{"message":3}\n{broken\n`,
      ['A', 'B'],
      ['MACH2021', 'MACH2021'],
    ],
    [
      'with one message of two that cannot be read',
      testMessage('A') + testMessage('B').replace('2.5.1', '3'),
      ['A'],
      ['MACH2013'],
    ],
    ['with nothing in them', '', [], ['MACH2020']],
    ['with blanks only', '\r\n ', [], ['MACH2020']],
    ['with no message in them', 'id;name\n1;A\n', [], ['MACH2010']],
    ['with vertical tabs in their text', testMessage('A').replace('Thử', 'Thử\vx'), ['A'], []],
  ])('%s', (_, content, ids, codes) => expect(decode(content)).toEqual({ ids, codes }));

  it('of the corpus, all in one, give what they give one by one', () => {
    const all = corpusMessages();
    const joined = decodeFile(Buffer.concat(all.map(({ bytes }) => encodeFrame(bytes))), 'all', decodeOptions);
    const single = all.map(({ bytes, name }) => decodeFile(bytes, name, decodeOptions));
    expect(joined.events.length).toBe(single.reduce((sum, { events }) => sum + events.length, 0));
    expect(joined.deadLetters.length).toBe(single.reduce((sum, { deadLetters }) => sum + deadLetters.length, 0));
  });

  it('of random bytes give a dead letter', () => {
    const bytes = Buffer.from(Array.from({ length: 5_000 }, (_, index) => (index * 7919 + (index >> 3)) % 256));
    expect(decode(bytes).codes.length).toBeGreaterThan(0);
  });
});
