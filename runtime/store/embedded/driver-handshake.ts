/**
 * The first query of clickhouse-go over HTTP (Grafana's driver). It is answered by hand, because the driver reads this reply in the
 * Native form of the protocol revision that it sent, and chDB writes only plain Native (revision 0). The revision in the
 * answer is 0, so everything after it is read as plain Native.
 */
const handshakeQuery = /^\s*SELECT\s+displayName\(\)\s*,\s*version\(\)\s*,\s*revision\(\)\s*,\s*timezone\(\)\s*;?\s*$/i;

/** Revisions from which a block begins with its info, and a column says how it is serialized. */
const blockInfoRevision = 51_903;
const customSerializationRevision = 54_454;

export function isDriverHandshake(query: string, protocolVersion: number | undefined): boolean {
  return protocolVersion !== undefined && handshakeQuery.test(query);
}

function text(value: string): Buffer {
  const bytes = Buffer.from(value);
  if (bytes.length > 127) throw new Error('texts of the handshake are short');
  return Buffer.concat([Buffer.from([bytes.length]), bytes]);
}

export interface HandshakeFacts {
  readonly displayName: string;
  readonly version: string;
  readonly timezone: string;
}

export function driverHandshake(facts: HandshakeFacts, protocolVersion: number): Buffer {
  const serialization = protocolVersion >= customSerializationRevision ? Buffer.from([0]) : Buffer.alloc(0);
  const column = (name: string, type: string, value: Buffer) =>
    Buffer.concat([text(name), text(type), serialization, value]);
  // is_overflows (field 1) = 0, bucket_num (field 2) = -1, end of the info.
  const info = Buffer.from([0x01, 0x00, 0x02, 0xff, 0xff, 0xff, 0xff, 0x00]);
  return Buffer.concat([
    protocolVersion >= blockInfoRevision ? info : Buffer.alloc(0),
    Buffer.from([4, 1]),
    column('displayName()', 'String', text(facts.displayName)),
    column('version()', 'String', text(facts.version)),
    column('revision()', 'UInt32', Buffer.alloc(4)),
    column('timezone()', 'String', text(facts.timezone)),
  ]);
}
