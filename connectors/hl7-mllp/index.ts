/** The source `hl7-mllp`: hospitals send HL7 v2 messages over MLLP, each answered once it is durable. */
import { defineSource } from '../../runtime/stream/index.ts';
import { decodeFile } from './file.ts';
import { type ObservedField, observedFields, usualCodes } from './observations.ts';
import { type Hl7Options, hl7Options } from './options.ts';
import { schema } from './schema.ts';
import { openServer, readTls } from './server.ts';

export { hl7Errors } from './errors.ts';

export const hl7Mllp = defineSource({
  name: 'hl7-mllp',
  status: 'stable',
  summary: 'Receives HL7 v2 messages of hospitals over MLLP and gives ADT as typed events, all other messages whole.',
  options: hl7Options,
  durability: 'disk',
  examples: [
    { title: 'on this machine alone', options: { listen: 2575 } },
    {
      title: 'TLS with client certificates, and a hospital system with codes of its own',
      options: {
        listen: '0.0.0.0:2576',
        tls: {
          cert: 'tls/server.pem',
          key: 'tls/server.key',
          ca: 'tls/hospitals.pem',
          require_client_certificate: true,
        },
        observations: { seen_at: ['BSKHAM'] },
      },
    },
  ],
  bind({ options, check }) {
    if (options.tls?.require_client_certificate && options.tls.ca === undefined) {
      check.problem(['tls', 'require_client_certificate'], 'client certificates cannot be checked without "ca"');
    }
    const codes = codesOf(options);
    const resolveFile = (path: string) => check.resolveFile(path);
    return {
      ports: { out: schema },
      decode: async (content, name) =>
        decodeFile(content, name, { zone: options.zone, charset: options.charset, codes, receivedAt: null }),
      redecode: async ({ raw, acceptedAt }) =>
        decodeFile(raw, 'dead letter', { zone: options.zone, charset: options.charset, codes, receivedAt: acceptedAt }),
      async probe() {
        await readTls(options.tls, resolveFile);
      },
      open: (context) => openServer(context, { options, codes, resolveFile }),
    };
  },
});

export function codesOf({ observations }: Pick<Hl7Options, 'observations'>): Map<string, ObservedField> {
  const codes = new Map<string, ObservedField>();
  for (const field of observedFields) {
    for (const code of [...(observations[field] ?? []), ...usualCodes[field]]) codes.set(code, field);
  }
  return codes;
}
