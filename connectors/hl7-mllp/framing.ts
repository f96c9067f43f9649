/**
 * MLLP, the framing of HL7 v2 over TCP: 0x0B, the message, 0x1C 0x0D (HL7 Implementation Support Guide, appendix C).
 *
 * A frame ends at 0x1C, whether or not the 0x0D follows: that byte is in no text that HL7 allows. 0x0B is text unless MSH,
 * FHS or BHS follows, as word processors leave it inside of notes; then it begins a frame and ends the one before it.
 */
import { hl7Limits } from './limits.ts';

const startByte = 0x0b;
const endByte = 0x1c;

export type FramePiece =
  /** `end` says what ended it: its terminator, the start of the next frame, or the end of the connection. */
  | { readonly kind: 'message'; readonly bytes: Buffer; readonly end: 'terminator' | 'start' | 'closed' }
  /** The first `bytes` of a message that is too large; the rest is skipped. */
  | { readonly kind: 'oversized'; readonly bytes: Buffer }
  /** Bytes outside of frames, other than line ends and blanks. `overflow`: the peer does not speak MLLP. */
  | { readonly kind: 'noise'; readonly bytes: Buffer; readonly overflow: boolean };

export function encodeFrame(message: string | Uint8Array): Buffer {
  const bytes = typeof message === 'string' ? Buffer.from(message, 'utf8') : message;
  const frame = Buffer.allocUnsafe(bytes.length + 3);
  frame[0] = startByte;
  frame.set(bytes, 1);
  frame[bytes.length + 1] = endByte;
  frame[bytes.length + 2] = 0x0d;
  return frame;
}

export interface FrameDecoder {
  /** Takes in what a socket read, cut anywhere, and gives the pieces that are complete. */
  push(chunk: Buffer): FramePiece[];
  /** The connection is closed: gives what is left. */
  end(): FramePiece[];
  /** Whether a message has begun and not ended. */
  readonly midMessage: boolean;
}

/** `messageBytesMax`: size of a message without its framing. */
export function frameDecoder({ messageBytesMax }: { messageBytesMax: number }): FrameDecoder {
  let state: 'outside' | 'inside' | 'skipping' = 'outside';
  let parts: Buffer[] = [];
  let size = 0;
  let noise: Buffer[] = [];
  let noiseBytes = 0;
  /** Bytes held back because they may be 0x0B and the beginning of "MSH". */
  let held: Buffer | undefined;

  function flushNoise(out: FramePiece[], overflow: boolean): void {
    const bytes = Buffer.concat(noise);
    noise = [];
    noiseBytes = 0;
    if (overflow || !isBlank(bytes)) out.push({ kind: 'noise', bytes, overflow });
  }

  function addNoise(bytes: Buffer, out: FramePiece[]): void {
    if (bytes.length === 0) return;
    // Blank bytes between frames are usual and unlimited over the life of a connection; they are not kept.
    if (noiseBytes === 0 && isBlank(bytes)) return;
    noise.push(bytes.subarray(0, hl7Limits.noiseBytesMax - noiseBytes));
    noiseBytes += bytes.length;
    if (noiseBytes >= hl7Limits.noiseBytesMax) flushNoise(out, true);
  }

  function addContent(bytes: Buffer, out: FramePiece[]): void {
    if (state === 'skipping' || bytes.length === 0) return;
    parts.push(bytes);
    size += bytes.length;
    if (size <= messageBytesMax) return;
    out.push({ kind: 'oversized', bytes: Buffer.concat(parts).subarray(0, messageBytesMax) });
    parts = [];
    state = 'skipping';
  }

  function endMessage(out: FramePiece[], end: 'terminator' | 'start' | 'closed'): void {
    if (state === 'inside') out.push({ kind: 'message', bytes: Buffer.concat(parts), end });
    parts = [];
    size = 0;
    state = 'outside';
  }

  function begin(out: FramePiece[]): void {
    flushNoise(out, false);
    parts = [];
    size = 0;
    state = 'inside';
  }

  /** Handles the bytes from `at` on while outside; gives where to go on. */
  function readOutside(chunk: Buffer, at: number, out: FramePiece[]): number {
    const start = chunk.indexOf(startByte, at);
    addNoise(chunk.subarray(at, start < 0 ? chunk.length : start), out);
    if (start < 0) return chunk.length;
    begin(out);
    return start + 1;
  }

  function readInside(chunk: Buffer, at: number, out: FramePiece[]): number {
    const end = chunk.indexOf(endByte, at);
    const limit = end < 0 ? chunk.length : end;
    for (
      let start = chunk.indexOf(startByte, at);
      start >= 0 && start < limit;
      start = chunk.indexOf(startByte, start + 1)
    ) {
      const verdict = beginsMessage(chunk, start + 1);
      if (verdict === 'unknown' && end < 0) {
        addContent(chunk.subarray(at, start), out);
        held = chunk.subarray(start);
        return chunk.length;
      }
      if (verdict !== 'yes') continue;
      addContent(chunk.subarray(at, start), out);
      endMessage(out, 'start');
      begin(out);
      return start + 1;
    }
    addContent(chunk.subarray(at, limit), out);
    if (end < 0) return chunk.length;
    endMessage(out, 'terminator');
    return end + 1;
  }

  return {
    get midMessage() {
      return state !== 'outside';
    },
    push(received) {
      const out: FramePiece[] = [];
      const chunk = held ? Buffer.concat([held, received]) : received;
      held = undefined;
      let at = 0;
      while (at < chunk.length) at = state === 'outside' ? readOutside(chunk, at, out) : readInside(chunk, at, out);
      return out;
    },
    end() {
      const out: FramePiece[] = [];
      if (held) addContent(held, out);
      held = undefined;
      endMessage(out, 'closed');
      flushNoise(out, false);
      return out;
    },
  };
}

const heads = ['MSH', 'FHS', 'BHS'].flatMap((name) => [Buffer.from(name), Buffer.from(`\uFEFF${name}`)]);

/** Whether the bytes from `at` begin a message; unknown when too few have come. */
function beginsMessage(chunk: Buffer, at: number): 'yes' | 'no' | 'unknown' {
  const rest = chunk.subarray(at, at + 6);
  if (heads.some((head) => rest.length >= head.length && rest.subarray(0, head.length).equals(head))) return 'yes';
  return heads.some((head) => rest.length < head.length && head.subarray(0, rest.length).equals(rest))
    ? 'unknown'
    : 'no';
}

function isBlank(bytes: Buffer): boolean {
  return bytes.every((byte) => byte === 0x0d || byte === 0x0a || byte === 0x20 || byte === 0x09 || byte === 0);
}
