/** What can go wrong with the log. */
import { defineErrors } from '../errors.ts';

export const logErrors = defineErrors({
  MACH3001: {
    message:
      'append to {subject} of stream {stream} refused: its last message is {actual}, expected was {expected}. Another owner has written; this one must stop',
    help: 'The append carried a fence (expected last sequence of its subject) and somebody else has appended since. Either two engines run the same stage, or this one was taken for dead and replaced. The newer owner goes on; this one must stop and may start again from its checkpoint. Nothing is lost.',
  },
  MACH3002: {
    message:
      'append to {subject} of stream {stream} has no known outcome after {attempts} attempts in {elapsedMs} ms (limit appendDeadlineMs): {reason}',
    help: 'The log did not say whether it stored the message: it is down, cannot be reached, or has no leader. The message may or may not be stored; appending it again with the same identity within the duplicate window is safe. Check that the NATS server runs, that its disk is not full, and the network in between.',
  },
  MACH3003: {
    message: 'append to {subject} of stream {stream} refused: {bytes} bytes, the limit is {limitBytes} ({limit})',
    help: 'One log message may hold limits.frameBytesMax bytes, or the max_payload of the NATS server where that is smaller. Raise max_payload in the configuration of the server, or make the events smaller.',
  },
  MACH3004: {
    message: 'append to {subject} of stream {stream} refused, the log is full: {reason}',
    help: 'The stream has met its size limit and may not drop old messages, or the server has no storage left. Free disk space, raise the limit of the stream or of JetStream (max_file_store), then append again; nothing that was acknowledged is affected.',
  },
  MACH3005: {
    message:
      'stream {stream} no longer has messages {from} to {to}: they were removed (age, size or purge) before they were read. The oldest kept is {firstSequence}',
    help: 'The reader was stopped, or slower than the stream, for longer than the stream keeps messages. Going on would leave a silent gap. Raise the retention of the stream (ageMaxMs, bytesMax); to go on with the gap, start again without the checkpoint from the oldest message that is kept.',
  },
  MACH3006: {
    message: 'stream {stream} is not the one that was read before: {reason}',
    help: 'The stream is missing, shorter than the position to read from, or has other messages at known positions: its storage was wiped, replaced or rolled back, or it has durability broker and the server was killed before it had written its last moments down. Restore the storage folder of the NATS server, or start again without the checkpoints that belong to the old stream.',
  },
  MACH3007: {
    message: 'object {name} of bucket {bucket} is damaged: {reason}',
    help: 'The stored bytes do not match their SHA-256 checksum, or chunks are missing. Checkpoints fall back to the one before. Check the disk of the NATS server.',
  },
  MACH3008: {
    message: 'stream {stream} exists with another {what}: it has {actual}, wanted is {wanted}',
    help: 'Two topologies (or two versions of one) want the same stream in different forms. Use another name, or delete the old stream when its messages are no longer needed: nats stream rm NAME.',
  },
  MACH3009: {
    message: 'the log at {url} does not answer: {reason}',
    help: 'No connection, no permission, or JetStream is not enabled on the server. Check NATS_URL and the credentials; start nats-server with -js or a jetstream block, or leave NATS_URL out and let the engine start its own server.',
  },
  MACH3010: {
    message:
      '{waiting} appends wait for a place in the publish window (limit {limit}); await appends before making more',
    help: 'A program that appends without awaiting has outrun the log. Await each append, or a group of them.',
  },
  MACH3011: {
    message: 'folder {directory} is in use by the engine with process id {owner}',
    help: 'Two engines cannot share one embedded NATS server folder. Stop the other one, give this one another folder, or connect both to the same server with NATS_URL.',
  },
  MACH3012: {
    message: 'nats-server did not start in {directory}: {reason}',
    help: 'The embedded NATS server ended or was not ready in time; the reason has the end of what it printed. Common: the folder is not writable, the disk is full, the port is taken, the storage was written by a newer version.',
  },
  MACH3013: {
    message: 'no nats-server program found; looked at {places}',
    help: 'Run the set-up script of the project, which fetches nats-server into .mach/bin, set MACH_NATS_SERVER to its path, install it in PATH, or set NATS_URL to use a server that runs elsewhere.',
  },
  MACH3014: {
    message:
      'the embedded nats-server ended {restarts} times within {windowMs} ms (limit serverRestartsMax) and is not started again: {reason}',
    help: 'The server crashes as soon as it runs. See its last output in the reason; check disk and memory. The folder is left as it is.',
  },
  MACH3015: {
    message: 'the log is closed',
    help: 'The connection was closed while it was still in use: by a stop of the engine, or by another part of the program.',
  },
  MACH3016: {
    message: '{what} refused by the log: {reason}',
    help: 'The server refused a request for a reason that trying again cannot change; the reason is the words of the server.',
  },
  MACH3017: {
    message: 'the disk of the log in {directory} is full: {reason}',
    help: 'Less room is free on the disk than the reserve (limits.diskReserveBytes, or a twentieth of a smaller disk; MACH_DISK_RESERVE_MIB sets it), or nats-server could not write. Senders are refused, or wait without an acknowledgement; what was acknowledged is kept. Free room on the disk: the engine goes on by itself. One that was ended starts when there is room.',
  },
});
