/**
 * Signs requests so that the receiver can tell that they are ours and new: headers and signed text as in Standard Webhooks
 * (https://github.com/standard-webhooks/standard-webhooks), HMAC-SHA256 over `id.timestamp.body`.
 */
import { createHmac } from 'node:crypto';

/** A secret as that specification writes it, `whsec_` and base64; any other text is taken as it is. */
const keyOf = (secret: string) =>
  secret.startsWith('whsec_') ? Buffer.from(secret.slice('whsec_'.length), 'base64') : Buffer.from(secret);

export function signatureHeaders(secret: string, { id, body, now }: { id: string; body: Buffer; now: number }) {
  const timestamp = String(Math.floor(now / 1000));
  const signature = createHmac('sha256', keyOf(secret)).update(`${id}.${timestamp}.`).update(body).digest('base64');
  return { 'webhook-id': id, 'webhook-timestamp': timestamp, 'webhook-signature': `v1,${signature}` };
}
