/** Errors of replays, of comparing them, and of named checkpoints: MACH3230 to 3249. */
import { defineErrors } from '../../errors.ts';

export const replayErrors = defineErrors({
  MACH3230: {
    message: 'there is no log of {topology} here: {reason}',
    help: 'A replay reads what the sources of a topology accepted from the log that it ran on. Run it where that log is: with the same NATS_URL, or with the data folder of the run (`--data`).',
  },
  MACH3231: {
    message: 'the log of {topology} does not reach to {wanted}: it has {has}',
    help: 'The log keeps what was accepted for `limits.logAgeMs` (7 days). Ask for a time or sequence within what it has.',
  },
});
