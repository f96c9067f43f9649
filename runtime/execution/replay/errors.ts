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
  MACH3232: {
    message: 'source {source} of the new topology cannot take what the log has of it: field {field}: {problem}',
    help: 'Sources of a topology that is replayed with `--with` are matched by their id, and their events by the names and types of their fields. Fields may come if they may be absent, and may go; one that stays must still take its old values. Give the source another id, or `--redecode` to decode anew what senders had sent.',
  },
  MACH3233: {
    message: 'look-up {nodes} cannot be replayed: {reason}',
    help: 'Answers of look-ups are in the log, and a replay uses them again for nodes that nothing has changed of: neither they nor anything above them. A new or changed look-up has no answers there. With `--ask-again` it is asked now; what it answers now may differ from what it would have answered then.',
  },
  MACH3234: {
    message: '"{name}" is not a name for {what}: {rule}',
    help: 'Shadow tables are named after the table and the shadow: `ed_status__friday`. Names of shadows and of checkpoints are short and plain.',
  },
  MACH3235: {
    message: 'the shadow {shadow} holds another replay: {difference}',
    help: 'A replay that was broken off can be started again with the same settings and goes on into the same shadow. For a replay with other settings choose another name (`--into`), or remove the old one: `mach replay --drop NAME`.',
  },
  MACH3236: {
    message: 'the table {table} is not a shadow of {shadow}: {reason}',
    help: 'A replay writes to tables of its own and to no others. Choose another name for the shadow (`--into`).',
  },
  MACH3237: {
    message: 'the replay could not write to {table}: {reason}',
    help: 'The store did not take a batch after several tries. Nothing is half done: start the same replay again, and it goes on without doubling rows.',
  },
  MACH3238: {
    message: 'nothing to compare: {reason}',
    help: '`mach diff LIVE SHADOW`: LIVE is a topology file or another shadow, SHADOW a name that `mach replay` gave. `mach replay --list` shows them.',
  },
  MACH3239: {
    message: 'source {source} cannot decode again: {reason}',
    help: '`--redecode` needs a connector that decodes texts by itself and texts that it kept in the log. Leave the option out to replay the events as they were decoded then.',
  },
  MACH3240: {
    message: 'there is no checkpoint named {name} of {topology}',
    help: '`mach checkpoint list TOPOLOGY` shows those that there are.',
  },
  MACH3241: {
    message: 'the checkpoint {name} exists already',
    help: 'Choose another name, or delete the old one first: `mach checkpoint delete TOPOLOGY NAME`.',
  },
  MACH3242: {
    message: 'no checkpoint of {topology} can be saved: {reason}',
    help: 'A topology takes its first checkpoint a few seconds after it has handled its first message.',
  },
  MACH3243: {
    message: 'the checkpoint {name} cannot be restored: {reason}',
    help: 'A checkpoint is restored as a whole, for the log that it was taken from, while no engine runs the topology. `mach checkpoint list TOPOLOGY` says which fit.',
  },
  MACH3244: {
    message: 'there is no shadow named {name}',
    help: '`mach replay --list` shows those that there are.',
  },
});
