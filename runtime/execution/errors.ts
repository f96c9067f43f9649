import { defineErrors } from '../errors.ts';

export const executionErrors = defineErrors({
  MACH3201: {
    message: 'a message of the log cannot be read: {reason}',
    help: 'The log holds a message that this version of the engine did not write, or that was damaged on disk. Nothing after it is handled, so nothing is lost. Run the version that wrote it, or restore the log from its replica.',
  },
  MACH3202: {
    message: 'one event of source {node} takes {bytes} bytes, more than a message of the log may hold ({max})',
    help: 'A single event, with the text that the sender sent, must fit into one message of the log: limits.rowBytesMax, or the max_payload of the NATS server where that is smaller. The sender gets a refusal. Split what the sender sends, or leave large attachments out of it.',
  },
  MACH3203: {
    message: 'stage {stage} partition {partition} has another owner: {reason}',
    help: 'Two engines run the same topology on the same log. The log refused the outputs of this one, so that nothing appears twice; it stops. End the other one, or give the topology another name.',
  },
  MACH3204: {
    message: 'the checkpoint {name} cannot be used: {reason}',
    help: 'A checkpoint is only used when its checksum and format are right. The engine goes back to the one before it and replays the log from there.',
  },
  MACH3205: {
    message: 'starting would lose the state of {nodes} ({reasons})',
    help: 'The topology differs from the one that wrote the checkpoint, in what the state of these nodes hangs on (`mach plan live FILE` says all that changes). To go on without their state name them: `mach run FILE --accept-loss NODE,NODE`. To keep the old state run the old file.',
  },
  MACH3206: {
    message: 'the drain was not finished within {deadlineMs} ms (drainDeadlineMs): {waiting}',
    help: 'Everything accepted is in the log and is handled on the next start; only this ending took longer than it may.',
  },
  MACH3207: {
    message: 'the log ends at {last}, but stage {stage} has handled it up to {sequence}',
    help: 'The storage of the log was wiped or replaced, while its checkpoints or results were kept. Going on would lose events in silence. Restore the storage; or, when the loss is accepted, start with `--accept-loss log`.',
  },
  MACH3208: {
    message: 'node {node} failed: {reason}',
    help: 'An operator threw instead of turning an event away. That is a mistake of the operator; the stage stops before the event, so that nothing is lost, and stops again there until the operator is mended.',
  },
  MACH3210: {
    message: 'a dead letter cannot go in again: {reason}',
    help: 'The topology that handles it has no place for it any more: the node or its input is gone, or its events have another shape. It stays a dead letter. `mach dead-letter show` has what it holds.',
  },
  MACH3209: {
    message: 'the probes and the status cannot be served at {address}: {reason}',
    help: 'The address of `--observe` is in use, or not one of this machine. Nothing was left running. Give another, or `--observe 0` for a free port.',
  },
  MACH3211: {
    message: 'a row of {from} takes {bytes} bytes, more than rowBytesMax ({max})',
    help: 'A row goes through the log, and one message must hold it. The node named has made it larger than that: texts put together, a long list. The row is a dead letter of the node that it was for, everything else goes on. The letter keeps the first deadLetterBytesMax bytes of it, so that it cannot be redriven. Leave out or shorten what is large (`map` with fewer fields or a `substring`, a shorter list) and start the mended topology; what comes from then on goes through. For the row that was turned away the sender sends again the message that it came from (`mach dead-letter show` names it), or `mach replay` writes it into a shadow table.',
  },
  MACH3212: {
    message:
      'topology {topology} is to run with {now} partitions, and its checkpoints were made with {before}: `mach rescale FILE --partitions {now}` changes that',
    help: 'Each partition keeps the state of its own keys; with another number of partitions they would look for it in the wrong place. Stop the topology (Ctrl-C drains), then `mach rescale FILE --partitions N`, then start it with `--partitions N`. A `mach rescale` that was broken off has changed nothing, or is completed by the next start.',
  },
  MACH3213: {
    message: 'topology {topology} is not drained: {reason}',
    help: 'Its state can be cut anew only where all of its log is handled and every row is written. Run it with the partitions that it has until it is level, stop it with Ctrl-C (which drains), and try again.',
  },
  MACH3214: {
    message:
      'the state of stage {stage} of partition {partition} was cut at {cutAt}, and no checkpoint since then can be read',
    help: 'When the number of partitions was changed each part got one checkpoint, and this one is damaged or was taken away. What came before was counted by other partitions, so that beginning without it would give results twice. Restore the bucket of the checkpoints, or a checkpoint that was saved by name since (`mach checkpoint list`).',
  },
  MACH3215: {
    message: 'the tables of {topology} were filled from the log {before}, and this log is another one ({now})',
    help: 'The storage of the log was wiped or replaced, or NATS_URL or CLICKHOUSE_URL names another server than before. Going on would begin anew at the first message, in silence, beside rows of the log that is gone. Restore the storage or the address; or, when the loss is accepted, start with `--accept-loss log`.',
  },
  MACH3216: {
    message: 'the version of topology {topology} that ran last cannot be read today: {reason}',
    help: 'Its checkpoints are cut by the version that made them, which is kept beside them. Set the variables that it needs, or run it with the version of mach that ran it last, stop it with Ctrl-C (which drains), and try again. Nothing has changed.',
  },
  MACH3217: {
    message: 'another version of topology {topology} has not handled all of the log (partition {partitions})',
    help: 'With several partitions the version before must come to its end first, or each partition would change at another message. Run the earlier version until it is level, stop it with Ctrl-C (which drains), then start this one. Nothing was handled, so nothing is lost.',
  },
  MACH3218: {
    message: 'stage {stage} partition {partition} runs on a log that has been given up since',
    help: 'Another worker was started with `--accept-loss log` and began anew, while this one still ran on what it had of the log before. This one ends, so that nothing of the two is mixed; nothing of the new log is lost. It is started again by itself, or start it again.',
  },
  MACH3220: {
    message: 'messages of the log were written with the schema {id}, which is not kept beside the checkpoints',
    help: 'The columns of a log message have no names: they are read with the schema that wrote them, kept in the bucket of the checkpoints under `schemas/`. It is not there; the bucket was lost or emptied. Restore it. Nothing was handled, so nothing is lost.',
  },
  MACH3221: {
    message: 'messages of the log with the schema {id} cannot be read by this topology: field {field}: {problem}',
    help: 'What an earlier version of the topology accepted has not been handled yet, and its events cannot become events of this version. Run the earlier version until it has handled what is in the log (`mach run OLD`, then Ctrl-C, which drains), then this one; nothing is lost.',
  },
  MACH3222: {
    message:
      'the log holds events of source {source} that have not been handled, and the topology has no such source any more',
    help: 'Run the earlier version until it has handled what is in the log (`mach run OLD`, then Ctrl-C, which drains), then this one. Or go on without them, counted as dropped: `--accept-loss SOURCE`.',
  },
  MACH3223: {
    message: 'the new version of {topology} is refused: {reasons}',
    help: 'Putting it in the place of the version that runs would lose something, or cannot be done. The old version runs on, untouched. `mach plan live FILE` shows all that changes; `--accept-loss NODE,NODE` names nodes whose state may be lost.',
  },
  MACH3224: {
    message: 'another change of {topology} is under way',
    help: 'Wait until it is done, and try again.',
  },
  MACH3225: {
    message: 'the new version of {topology} did not come up, the old one runs on: {reason}',
    help: 'Everything was put back: what the reason names (a port that is taken, a table that is refused, a state that cannot be migrated) must be mended first. Nothing was lost; senders whose source was closed on the way come back by themselves.',
  },
  MACH3226: {
    message: 'another version of topology {topology} runs in its other workers',
    help: 'All workers of a topology run the same version. To change it in all of them at once, give `mach run FILE` with the new file in the data folder of one that runs; to run this file instead, end all workers first (Ctrl-C drains). A worker that finds the version changed behind its back ends with this error, and can be started again. Nothing was lost.',
  },
  MACH3227: {
    message:
      'the state of node {node} cannot be cut: its operator {operator} does not say which key an entry belongs to',
    help: 'Its state is kept by something that the key cannot be told from. Run the topology with the partitions that it has. Whoever writes the operator gives it a `cut` (docs/operators.md, `cutByKey`). Nothing has changed.',
  },
  MACH3228: {
    message:
      'the checkpoints of topology {topology} were cut for {partitions} partitions by an earlier version of mach, key by key',
    help: 'Keys are in groups now, and each group in one partition; of this number of partitions that gives other partitions to some keys. Cut the state anew for the same number: `mach rescale FILE --partitions N`. Where work was left run the earlier version until it is level, and stop it with Ctrl-C (which drains), before.',
  },
  MACH3250: {
    message: 'worker {worker} ended with {code} before it was running',
    help: 'The lines of its log before this one say why; what is wrong with one is wrong with all. The others were ended.',
  },
  MACH3251: {
    message:
      'worker {worker} ended {deaths} times within {windowMs} ms (limit workerRestartsMax) and is not started again',
    help: 'It ends as soon as it runs; its log says why. The other workers were drained. What was accepted is in the log and is handled after the next start.',
  },
  MACH3252: {
    message: 'not every worker had drained in time',
    help: 'Everything accepted is in the log and is handled after the next start; only this ending took longer than it may (drainDeadlineMs). The lines of the log say which worker it was.',
  },
  MACH3253: {
    message:
      'the heap of this process fills up: {live} MiB of {limit} live, and a checkpoint needs {reserved} more{states}',
    help: 'From limits.heapScarcePercent on the engine says so, and goes on as before; from limits.heapFullPercent on it handles no more (MACH3254). Give it a larger heap (`NODE_OPTIONS=--max-old-space-size=MIB`, then start it again), share the keys among workers (`--partitions`, `--workers`; `mach rescale` for a topology that has run), or let the nodes that are named forget sooner (`within`, windows, `ttl`).',
  },
  MACH3254: {
    message:
      'the heap of this process is full, no more is handled: {live} MiB of {limit} live, and a checkpoint needs {reserved} more{states}',
    help: 'V8 would end the process at its limit without a word, so the stages stop before it (limits.heapFullPercent, with the room that a checkpoint needs for its copy) and take no checkpoint. What senders deliver is accepted and waits in the log; nothing is lost. It goes on by itself when there is room (limits.heapGoesOnPercent); a start that does not come through what is in the log for it (limits.heapFullAtStartMs) ends with this error. As a rule it needs a start with a larger heap: `NODE_OPTIONS=--max-old-space-size=MIB mach run ...`. Or share the keys among workers (`mach rescale`, then `--partitions`, `--workers`), or let the nodes that are named forget sooner.',
  },
  MACH3255: {
    message: 'no checkpoint of stage {stage} can be taken: the heap of this process has no room for its copy',
    help: 'See MACH3254. The checkpoint before still holds, and what came after it is in the log: nothing is lost, only the next start has more to do again. What was to be done with the checkpoint (an upgrade, a named checkpoint, a partition that is handed over) is not done.',
  },
  MACH3256: {
    message:
      'too much waits for the log: source {node} holds back {events} events ({bytes} bytes), and takes no more from {eventsMax} events (heldBackEventsMax) or {bytesMax} bytes (heldBackBytesMax) on',
    help: 'The log is away, or slower than the senders: `/readyz` and `mach top` say which. Nothing of the request was stored, and its sender was told so and sends it again, later. What was taken before is stored once the log takes it. Bring the log back; where it is slow for long, let less be sent, or give it a faster disk.',
  },
  MACH3257: {
    message: 'overloaded: {max} events (lookupWaitingMax) wait in the order that is kept',
    help: 'The server that is asked answers more slowly than events come. Dead letters can be redriven once it keeps up: `mach dead-letter redrive`. Ask it more at once (`concurrency`), ask less (`cache`, a `filter` before), or give the order up (`order: free`): then what cannot be asked for goes on at once without an answer.',
  },
});
