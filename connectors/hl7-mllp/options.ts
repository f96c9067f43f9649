import { z } from 'zod';
import { duration, isZone, limits, size } from '../../runtime/stream/index.ts';
import { isCharset } from './charset.ts';
import { observedFields } from './observations.ts';

const pem = () => z.string().min(1);

export const hl7Options = z.strictObject({
  listen: z
    .union([z.number().int().min(0).max(65_535), z.string().regex(/^(?:.+:)?\d{1,5}$/, 'a port, or host:port')])
    .describe('port, on the loopback address alone, or host:port; 0.0.0.0:2575 for all addresses')
    .meta({ examples: [2575, '0.0.0.0:2575'] }),
  tls: z
    .strictObject({
      cert: pem().describe('certificate: path of a PEM file, or PEM text'),
      key: pem().describe('its private key: path of a PEM file, or PEM text').meta({ mach: 'secret' }),
      ca: pem().optional().describe('authority that client certificates must come from'),
      require_client_certificate: z.boolean().default(false),
    })
    .optional()
    .describe('TLS; plain TCP without it'),
  zone: z
    .string()
    .refine(isZone, 'not a time zone of the IANA list, such as Asia/Ho_Chi_Minh')
    .default('Asia/Ho_Chi_Minh')
    .describe('zone of times that are sent without one'),
  charset: z
    .string()
    .refine(isCharset, 'not a character set that can be read')
    .default('UTF-8')
    .describe('character set of messages whose MSH-18 is empty'),
  connections: z.number().int().min(1).max(10_000).default(500).describe('most connections open at one time'),
  message: size()
    .refine((bytes) => bytes >= 1024 && bytes <= limits.frameBytesMax / 2, 'between 1KiB and 2MiB')
    .prefault('1MiB')
    .describe('largest message'),
  idle_connection: duration().prefault('1h').describe('a connection silent for this long is closed'),
  observations: z
    .partialRecord(z.enum(observedFields), z.array(z.string().min(1)))
    .default({})
    .describe('further codes of OBX-3 for triage_level, seen_at, ...'),
});

export type Hl7Options = z.output<typeof hl7Options>;

/** Host and port of `listen`. */
export function addressOf(listen: number | string): { readonly host: string; readonly port: number } {
  if (typeof listen === 'number') return { host: '127.0.0.1', port: listen };
  const cut = listen.lastIndexOf(':');
  const host = cut < 0 ? '127.0.0.1' : listen.slice(0, cut).replace(/^\[|\]$/g, '');
  return { host, port: Number(listen.slice(cut + 1)) };
}
