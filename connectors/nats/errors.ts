import { defineErrors } from '../../runtime/stream/index.ts';

export const natsErrors = defineErrors({
  MACH2301: {
    message: 'no connection to the NATS server {url}: {reason}',
    help: 'The server is not there, or refuses the credentials. Check `url`, `token`, `user` and `password`; behind TLS the URL starts with tls://.',
    isAway: true,
  },
  MACH2302: {
    message: 'the message is not usable: {reason}',
    help: 'A message must be one JSON object with the fields of the schema (or a list of such objects). It became a dead letter; a sender that had asked for a reply was told.',
  },
  MACH2303: {
    message: '{subject} is no subject: {reason}',
    help: 'Subjects are words of printable characters without spaces, joined by dots. A source may use the wildcards * (one word) and > (the rest); a sink may name fields: alerts.{hospital}.',
  },
  MACH2304: {
    message: 'the server did not confirm {rows} messages within {timeout_ms} ms',
    help: 'The connection is broken or slow. The batch is published again with the same message ids, so that a stream on these subjects keeps each once.',
  },
  MACH2306: {
    message: 'the message could not be stored',
    help: 'The log did not confirm it. A sender that had asked for a reply gets this one and may send again; one that had not loses the message, as plain NATS allows.',
  },
  MACH2305: {
    message: 'the message of {bytes} bytes is larger than the {bytes_max} that the server takes',
    help: 'Publish fewer or shorter fields (map), or raise max_payload of the server.',
  },
});
