export interface Address {
  readonly host: string;
  readonly port: number;
}

/** `host:port`, `[::1]:port`; null for anything else. */
export function parseAddress(text: string): Address | null {
  const match = /^(?:\[([^\]]+)\]|([^:\s]+)):(\d{1,5})$/.exec(text);
  const port = Number(match?.[3]);
  return match && port >= 1 && port <= 65_535 ? { host: match[1] ?? match[2] ?? '', port } : null;
}
