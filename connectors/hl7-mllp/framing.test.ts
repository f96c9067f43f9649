import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { encodeFrame, type FramePiece, frameDecoder } from './framing.ts';
import { hl7Limits } from './limits.ts';

const decoderOf = (messageBytesMax = 1_000_000) => frameDecoder({ messageBytesMax });

function decodeAll(bytes: Buffer, cuts: readonly number[] = [], messageBytesMax?: number): FramePiece[] {
  const decoder = decoderOf(messageBytesMax);
  const pieces: FramePiece[] = [];
  let from = 0;
  for (const cut of [...cuts].sort((a, b) => a - b)) {
    pieces.push(...decoder.push(bytes.subarray(from, cut)));
    from = Math.max(from, cut);
  }
  pieces.push(...decoder.push(bytes.subarray(from)), ...decoder.end());
  return pieces;
}

const texts = (pieces: readonly FramePiece[]) =>
  pieces.filter((piece) => piece.kind === 'message').map((piece) => piece.bytes.toString());

describe('frames', () => {
  /** Text of every kind but the two bytes that end or begin a frame; Vietnamese letters take several bytes each. */
  const content = fc
    .array(fc.constantFrom('A', '|', '^', '\r', '\n', 'Nguyễn', '\\', ' ', '\v', 'MS', '𝄞'), { maxLength: 30 })
    .map((parts) => `MSH|^~\\&|${parts.join('').replaceAll('\vMS', 'MS')}\r`);
  const noise = fc.constantFrom('', '\r', '\r\n', 'xyz', '\x1c', '\r\x1c\r', 'MSH', ' ', '\0');
  const terminator = fc.constantFrom('\x1c\r', '\x1c', '\x1c\r\n', '');

  it('come out the same however the bytes are cut, with noise between them and terminators missing', () => {
    fc.assert(
      fc.property(
        fc.array(fc.tuple(content, noise, terminator), { minLength: 1, maxLength: 8 }),
        fc.array(fc.nat(2_000), { maxLength: 30 }),
        (messages, cuts) => {
          const stream = messages.map(([text, before, end]) => {
            // Without a terminator, noise would be part of the message: no receiver could tell.
            return { text, bytes: `\v${text}${end}`, before, hasEnd: end !== '' };
          });
          const bytes = Buffer.from(
            stream.map(({ bytes, before }, at) => (at === 0 || stream[at - 1]?.hasEnd ? before : '') + bytes).join(''),
          );
          const inside = cuts.map((cut) => cut % (bytes.length + 1));
          expect(texts(decodeAll(bytes, inside))).toEqual(messages.map(([text]) => text));
        },
      ),
    );
  });

  it('come out the same byte by byte', () => {
    const bytes = Buffer.concat(['MSH|^~\\&|Thử\r', 'MSH|2\r'].map((text) => encodeFrame(text)));
    expect(texts(decodeAll(bytes, [...bytes.keys()]))).toEqual(['MSH|^~\\&|Thử\r', 'MSH|2\r']);
  });

  it('are not begun by a vertical tab inside of text', () => {
    expect(texts(decodeAll(encodeFrame('MSH|^~\\&|a\vb\vMX\v')))).toEqual(['MSH|^~\\&|a\vb\vMX\v']);
  });

  it('that have no end are given with what ended them', () => {
    const pieces = decodeAll(Buffer.from('\vMSH|1\r\vMSH|2\r\x1c\r\vMSH|3'));
    expect(pieces.map((piece) => piece.kind === 'message' && piece.end)).toEqual(['start', 'terminator', 'closed']);
  });

  it('give noise as pieces of their own, blanks aside', () => {
    const pieces = decodeAll(Buffer.from('\r\n hello \vMSH|1\x1c\r\r\n\vMSH|2\x1c\rworld'));
    expect(pieces.map(({ kind, bytes }) => [kind, bytes.toString().trim()])).toEqual([
      ['noise', 'hello'],
      ['message', 'MSH|1'],
      ['message', 'MSH|2'],
      ['noise', 'world'],
    ]);
  });

  it('say when the noise overflows, keeping no more than the bound', () => {
    const decoder = decoderOf();
    const pieces = Array.from({ length: 9 }, () => decoder.push(Buffer.alloc(10_000, 'x'))).flat();
    expect(pieces).toHaveLength(1);
    expect(pieces[0]).toMatchObject({ kind: 'noise', overflow: true });
    expect(pieces[0]?.bytes.length).toBe(hl7Limits.noiseBytesMax);
  });

  it('too large are cut once, and the next one is read', () => {
    const bytes = Buffer.concat([encodeFrame('M'.repeat(5_000)), encodeFrame('MSH|next')]);
    const pieces = decodeAll(bytes, [100, 2_000, 3_000], 1_000);
    expect(pieces.map(({ kind, bytes }) => [kind, bytes.length])).toEqual([
      ['oversized', 1_000],
      ['message', 8],
    ]);
  });

  it('never fail on random bytes, and give no byte twice', () => {
    fc.assert(
      fc.property(fc.uint8Array({ maxLength: 500 }), fc.array(fc.nat(500), { maxLength: 10 }), (bytes, cuts) => {
        const buffer = Buffer.from(bytes);
        const pieces = decodeAll(
          buffer,
          cuts.map((cut) => cut % (buffer.length + 1)),
        );
        const total = pieces.reduce((sum, piece) => sum + piece.bytes.length, 0);
        expect(total).toBeLessThanOrEqual(buffer.length);
      }),
    );
  });
});
