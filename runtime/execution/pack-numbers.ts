/** Columns of numbers as checkpoints keep them: most are times, of which each is near the others. */

/** Numbers that lie whole steps from one of them, within 32 bits. */
export interface NearNumbers {
  readonly base: number;
  readonly offsets: Int32Array;
}

export type PackedNumbers = Float64Array | NearNumbers;

/** Half the size, where that brings back every number as it was. */
export function packNumbers(numbers: Float64Array): PackedNumbers {
  const base = numbers[0] ?? 0;
  const offsets = new Int32Array(numbers.length);
  for (let at = 0; at < numbers.length; at++) {
    const number = numbers[at] as number;
    const offset = (number - base) | 0;
    // Which of the two zeros it was would be lost.
    if (base + offset !== number || (number === 0 && Object.is(number, -0))) return numbers;
    offsets[at] = offset;
  }
  return { base, offsets };
}

export function unpackNumbers(packed: PackedNumbers): Float64Array {
  if (packed instanceof Float64Array) return packed;
  const { base, offsets } = packed;
  const numbers = new Float64Array(offsets.length);
  for (let at = 0; at < offsets.length; at++) numbers[at] = base + (offsets[at] as number);
  return numbers;
}
