/** One block of LZ4 (https://github.com/lz4/lz4/blob/dev/doc/lz4_Block_format.md): the form in which ClickHouse keeps small files of a part. */

/** Throws a `RangeError` when the bytes are not a block of exactly `size` bytes. */
export function decompressBlock(source: Uint8Array, size: number): Uint8Array {
  const target = new Uint8Array(size);
  let from = 0;
  let to = 0;
  const next = (): number => {
    const byte = source[from++];
    if (byte === undefined) throw new RangeError('LZ4 block ends too early');
    return byte;
  };
  const length = (start: number): number => {
    let total = start;
    if (start !== 15) return total;
    for (let byte = 255; byte === 255; ) {
      byte = next();
      total += byte;
    }
    return total;
  };
  for (;;) {
    const token = next();
    const literals = length(token >> 4);
    if (from + literals > source.length || to + literals > size) throw new RangeError('LZ4 literals beyond the block');
    target.set(source.subarray(from, from + literals), to);
    from += literals;
    to += literals;
    // The last sequence of a block has literals only.
    if (from === source.length) break;
    const offset = next() | (next() << 8);
    const match = length(token & 15) + 4;
    if (offset === 0 || offset > to || to + match > size) throw new RangeError('LZ4 match beyond the block');
    // Byte by byte: a match may overlap what it makes.
    for (let i = 0; i < match; i++, to++) target[to] = target[to - offset] as number;
  }
  if (to !== size) throw new RangeError(`LZ4 block has ${to} bytes, not ${size}`);
  return target;
}
