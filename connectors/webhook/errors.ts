import { defineErrors } from '../../runtime/stream/index.ts';

export const webhookErrors = defineErrors({
  MACH2401: {
    message: 'the receiver refused the rows for good: {status} {answer}',
    help: 'A status of 4xx (but 408, 425 and 429) says that the same request will never be taken. The rows became dead letters; correct the receiver, the URL, the credentials or the rows, and send the dead letters again.',
  },
  MACH2402: {
    message: 'the receiver {url} does not take rows: {reason}',
    help: 'No answer in time, a broken connection, a status of 5xx, 408, 425 or 429. The same rows are sent again with the same idempotency key, after growing waits, until they are taken.',
  },
  MACH2403: {
    message: 'the receiver sends us on to {location}, which is not followed',
    help: 'Only 307 and 308 within the same scheme, host and port are followed, at most three times: rows and credentials go to the host that the topology names and nowhere else. Put the final address into `url`.',
  },
  MACH2404: {
    message: 'the receiver {url} has failed {failures} times in a row; it is left alone until it is tried again',
    help: 'The breaker is open: nothing is sent for the time of option `rest`, then one request is tried. The rows wait in the log.',
  },
  MACH2405: {
    message: 'the TLS files cannot be used: {reason}',
    help: '`tls` takes `ca`, and `cert` with `key`, as paths of PEM files or as PEM texts.',
  },
});
