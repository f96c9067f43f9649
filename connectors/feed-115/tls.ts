/** Certificates and tokens. */
import { createHash, timingSafeEqual } from 'node:crypto';
import { readFile } from 'node:fs/promises';
import { createSecureContext } from 'node:tls';
import type { ServerCredentials, ServerInterceptor } from '@grpc/grpc-js';
import { messageOf } from '../../runtime/stream/index.ts';
import { feedErrors } from './errors.ts';
import type { Grpc } from './proto.ts';

export interface TlsOptions {
  /** PEM, or the path of a PEM file. */
  readonly cert: string;
  readonly key: string;
  readonly ca?: string | undefined;
  readonly require_client_certificate: boolean;
}

export const isPem = (text: string) => text.includes('-----BEGIN ');

const readPem = async (textOrPath: string) => (isPem(textOrPath) ? Buffer.from(textOrPath) : readFile(textOrPath));

export async function makeServerCredentials(grpc: Grpc, tls: TlsOptions | undefined): Promise<ServerCredentials> {
  if (!tls) return grpc.ServerCredentials.createInsecure();
  try {
    const [cert, key, ca] = await Promise.all([readPem(tls.cert), readPem(tls.key), tls.ca ? readPem(tls.ca) : null]);
    // Said here, because the server itself would only say that it cannot listen.
    createSecureContext({ cert, key, ...(ca ? { ca } : {}) });
    return grpc.ServerCredentials.createSsl(
      ca,
      [{ cert_chain: cert, private_key: key }],
      tls.require_client_certificate,
    );
  } catch (error) {
    throw feedErrors.make('MACH2117', { reason: messageOf(error) }, error);
  }
}

const digest = (text: string) => createHash('sha256').update(text).digest();

/** Whether a value of the `authorization` metadata is one of the tokens. Digests have one length, so the time says nothing. */
export function makeTokenCheck(tokens: readonly string[]): (authorization: string | undefined) => boolean {
  const known = tokens.map(digest);
  return (authorization) => {
    const match = /^Bearer +(\S+)$/i.exec(authorization ?? '');
    const given = digest(match?.[1] ?? '');
    let valid = false;
    for (const token of known) valid = timingSafeEqual(token, given) || valid;
    return valid && match !== null;
  };
}

const healthPath = '/grpc.health.v1.Health/';

/** Refuses every call without a valid token. Health is left open: load balancers ask for it and hold no secrets. */
export function makeTokenInterceptor(grpc: Grpc, tokens: readonly string[]): ServerInterceptor {
  const isValid = makeTokenCheck(tokens);
  const error = feedErrors.make('MACH2109');
  return (method, call) => {
    if (method.path.startsWith(healthPath)) return new grpc.ServerInterceptingCall(call);
    return new grpc.ServerInterceptingCall(call, {
      start: (next) =>
        next({
          onReceiveMetadata(metadata, nextMetadata) {
            const [authorization] = metadata.get('authorization');
            if (isValid(authorization?.toString())) return nextMetadata(metadata);
            call.sendStatus({ code: grpc.status.UNAUTHENTICATED, details: `${error.code} ${error.message}` });
          },
        }),
    });
  };
}
