/** Errors of the command line. */
import { defineErrors } from '../errors.ts';

export const cliErrors = defineErrors({
  MACH1601: {
    message: '{what} "{name}" is not known',
    help: '`mach list` shows the sources, operators and sinks; `mach --help` shows the commands.',
  },
  MACH1602: {
    message: 'there is no error with the code {code}',
    help: 'Codes are `MACH` and four digits, as they stand at the beginning of every error.',
  },
  MACH1603: {
    message: '{name} cannot decode files',
    help: '`mach decode` shows what a connector makes of a message that is in a file. Only connectors that take in messages or files can do that.',
  },
  MACH1604: {
    message: 'the options given are wrong: {reason}',
    help: 'Options are given as one JSON object: `--options \'{"format":"csv"}\'`. `mach list NAME` shows the options of a connector.',
  },
  MACH1605: {
    message: 'the file {file} cannot be read: {reason}',
    help: 'The path does not exist, is a folder, or may not be read by this user.',
  },
  MACH1606: {
    message: 'the file {file} cannot be written: {reason}',
    help: 'The folder does not exist or may not be written, or the file exists already. `--force` replaces an existing file.',
  },
  MACH1607: {
    message: 'a topology cannot be made from "{words}": {reason}',
    help: "Give the name of a source, of operators if wanted, and of a sink, in the order in which events flow:\n\n  mach init hl7-mllp '->' filter '->' clickhouse\n\nThe arrows may be left out. `mach list` shows the names.",
  },
  MACH1608: {
    message: '{file} has {bytes} bytes, more than cliLimits.decodeFileBytesMax ({max})',
    help: '`mach decode` reads a file as a whole. Cut the file into parts.',
  },
  MACH1620: {
    message: '{option} does not take "{value}"; it takes {takes}',
    help: '`mach help COMMAND` shows what each option takes. Durations have a unit: 30s, 5m. Times have their offset: 2026-03-02T07:00:00+07:00.',
  },
  MACH1621: {
    message: 'it is not clear which engine is meant: {found} (data folder {directory})',
    help: 'Start one with `mach run FILE`, or name the one that is meant: `--url http://127.0.0.1:PORT`; `mach run` says its address in its log.',
  },
  MACH1622: {
    message: 'the engine at {url} does not answer: {reason}',
    help: 'It has ended, or is not there. `mach run` says the address of its HTTP server in its log.',
  },
  MACH1625: {
    message: 'there is no version to compare with: {reason}',
    help: '`live` stands for what a running engine runs in the data folder (`--data`), else, with NATS_URL, for what the newest checkpoint of the topology was made by. Start it once, or name two files.',
  },
  MACH1626: {
    message: 'the engine that runs goes on with the version that it has: {reason}',
    help: 'The new version was refused, or did not come up; nothing was lost. `mach plan live FILE` shows what changes; a state that may be lost is named with `--accept-loss NODE`.',
  },
  MACH1627: {
    message: '{topology} runs here in a process that takes no other version (process {processId})',
    help: 'It was started by an engine of another version, which cannot be changed while it runs. End it (Ctrl-C drains: nothing is lost), and start it with the new file: it goes on with the state that is kept. `mach plan` says what would change.',
  },
  MACH1628: {
    message: '{topology} runs here with {partitions} partitions (process {processId}), and {given} were asked for',
    help: 'A running engine keeps its partitions. Leave `--partitions` out to give it the new version; to give it another number stop it (Ctrl-C drains), then `mach rescale FILE --partitions N`, then start it.',
  },
  MACH1629: {
    message: '{topology} runs here already (process {processId}); {options} cannot be given to a running engine',
    help: 'A running engine takes another version of its topology, with `--accept-loss`, and goes on with everything else as it was started. Leave these options out; or end it (Ctrl-C drains: nothing is lost) and start it with them.',
  },
  MACH1630: {
    message: 'there is no log in the data folder {directory}',
    help: 'No engine has run on this folder. Name the one that it ran with: `--data FOLDER`; or, when the log is on a NATS server, set NATS_URL as for `mach run`.',
  },
  MACH1631: {
    message: 'no dead letter is meant by "{id}": {reason}',
    help: '`mach dead-letter list FILE` shows the ids. The beginning of an id is enough, four characters or more, where no other begins so. Dead letters are kept for a week.',
  },
  MACH1632: {
    message: 'it is not said which dead letters go in again',
    help: 'Name them by their ids, or by `--node NODE`, `--code CODE`, `--since 1h`; `--all` means all that have not been redriven. `--dry-run` shows what would happen.',
  },
  MACH1633: {
    message: 'nothing is revealed, because it cannot be written down who asked: {reason}',
    help: 'Who looks at what names persons is written into `audit.ndjson` in the data folder. The folder must be writable by who asks.',
  },
  MACH1634: {
    message: 'it is not said what is replayed',
    help: 'Name the topology file whose past runs again: `mach replay FILE`. `mach replay --list` lists the shadows that there are, `--drop SHADOW` removes one.',
  },
  MACH1635: {
    message: 'the data folder {directory} cannot be used: {reason}',
    help: 'It holds the embedded servers and what commands find an engine by. Name a folder that exists or may be made, writable by this user: `--data FOLDER`.',
  },
  MACH1636: {
    message: '--accept-loss names "{node}", which is no node of {topology}, nor of an earlier version of it',
    help: 'Nothing was started. Name the nodes whose state may be lost by their ids, separated by commas, or `log` for a log that was wiped. `mach plan live FILE` says which nodes would lose theirs.',
  },
  MACH1650: {
    message: 'MACH_DISK_RESERVE_MIB is "{value}", not a whole number of MiB',
    help: 'It says how much room the embedded servers leave free on the disk, such as 1024. Leave it out for 512, or a twentieth of a smaller disk.',
  },
  MACH1660: {
    message:
      'it is not clear which topology is meant: {found} (data folder {directory}); name its file with --topology FILE',
    help: 'Name its file: `mach why RESULT --topology FILE`. Without it the file of the engine that runs on the data folder is taken, or else that of the only topology that ever ran there.',
  },
  MACH1661: {
    message: 'it needs a reason, in words: --reason TEXT',
    help: 'What points at a person is shown to whoever has a reason; who looked, when, at what and why is written into `audit.ndjson` in the data folder before anything is shown.',
  },
  MACH1662: {
    message: 'which key of {node}? --open wants a node and a key: mach why --open {node} KEY',
    help: 'A key is the value of the field by which the operator keeps things apart: `mach why --open census H2`. Of several fields it is `H1,ICU`, or with their names `hospital=H1,ward=ICU`; of an operator that keeps all together an empty text (`""`). `mach explain FILE` shows the fields of each key.',
  },
  MACH1663: {
    message: '{fields}: that points at a person, and who asks for rows by it has to say why: --reason TEXT',
    help: 'Whether there is a row of a person is not for everybody to know. With a reason it is answered, after it has been written into `audit.ndjson` in the data folder who asked, when, for what and why; what points at a person stays hidden in the answer without `--reveal`. A row that is known already is named by its place.',
  },
  MACH1664: {
    message: '{option} means nothing with --open: {reason}',
    help: '`mach why --open NODE KEY` tells what a key waits for now; of its options only `--topology`, `--json`, `--url`, `--data` and `--reason` are for it.',
  },
  MACH1665: {
    message:
      '{file} no longer tags {fields}, as the version that was started last does: what points at a person would be shown',
    help: 'What is hidden is told by the `privacy` tags of the file, as it is now. Give it its tags back, give the file that was started with `--topology`, or reveal with a reason (`--reveal --reason TEXT`). A version without the tags can be started (`mach run FILE`); what came before is then no longer hidden either.',
  },
  MACH1623: {
    message: 'nothing to watch: {reason}',
    help: 'An edge is the id of a node of the topology, or id:port. `mach graph FILE` shows them.',
  },
});
