/** Names of parts: `PARTITION_MIN_MAX_LEVEL[_MUTATION]`, blocks from MIN to MAX, LEVEL merges deep. */

export interface PartName {
  readonly name: string;
  readonly partition: string;
  readonly blockMin: number;
  readonly blockMax: number;
  /** 0: as inserted. */
  readonly level: number;
  readonly mutation: number;
}

const pattern = /^([^_]+)_(\d+)_(\d+)_(\d+)(?:_(\d+))?$/;

/** Undefined for whatever else lies in a table's folder (`tmp_insert_...`, `detached`, ...). */
export function parsePartName(name: string): PartName | undefined {
  const match = pattern.exec(name);
  if (!match) return undefined;
  const [, partition = '', min, max, level, mutation = '0'] = match;
  return {
    name,
    partition,
    blockMin: Number(min),
    blockMax: Number(max),
    level: Number(level),
    mutation: Number(mutation),
  };
}

/** Whether `part` holds the rows of `other`: it is made from it, and perhaps from others. */
export function covers(part: PartName, other: PartName): boolean {
  return (
    part.name !== other.name &&
    part.partition === other.partition &&
    part.blockMin <= other.blockMin &&
    part.blockMax >= other.blockMax &&
    part.level >= other.level &&
    part.mutation >= other.mutation
  );
}
