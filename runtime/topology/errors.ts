/** Errors of topology files: form (10xx), names and wiring (11xx), types (125x), references and secrets (14xx). */
import { defineErrors } from '../errors.ts';

const form = {
  MACH1001: {
    message: 'the file cannot be read: {reason}',
    help: 'The path does not exist, is a folder, or may not be read by this user. Paths are taken from the folder in which mach was started.',
  },
  MACH1002: {
    message: 'the file is not UTF-8 text: {reason}',
    help: 'Topology files are UTF-8, with or without a byte order mark. Save the file again as UTF-8 (in most editors: "Save with encoding"). `file NAME` and `iconv -f WINDOWS-1258 -t UTF-8` help to find out what it is and to convert it.',
  },
  MACH1003: {
    message: 'the file has {bytes} bytes, more than limits.topologyFileBytesMax ({max})',
    help: 'A topology describes how parts are wired; data does not belong in it. Move lists into files that a source or a look-up reads, or split the topology in two.',
  },
  MACH1004: {
    message: 'the file is empty',
    help: "Nothing but comments or blank lines was found. `mach init SOURCE '->' OPERATOR '->' SINK` writes a file to start from.",
  },
  MACH1005: {
    message: 'YAML: {reason}',
    help: 'The text is not valid YAML, so nothing behind this place can be trusted and the rest of the checks were left out. The place is where the reader gave up; the mistake is there or just before. Common causes: a missing space after `:` or `-`, a quote that is not closed, `: ` or ` #` inside an unquoted text, lines of one mapping that do not start at the same column.',
  },
  MACH1006: {
    message: 'a tab is used to indent; YAML allows only spaces',
    help: 'Replace the tab by spaces (two for each level are usual) and let your editor insert spaces: `.editorconfig` with `indent_style = space`.',
  },
  MACH1007: {
    message: 'nested deeper than topologyLimits.nestingDepthMax ({max} levels)',
    help: 'No option is nested this deeply. Look for brackets that are not closed, or for lines that are indented by mistake.',
  },
  MACH1008: {
    message: 'with its aliases filled in, the file has more than topologyLimits.valuesMax values ({max})',
    help: 'Aliases (`*name`) that stand for values with further aliases grow without bound. Write out what the topology really needs, or move data to a file.',
  },
  MACH1009: {
    message: '"{key}" stands twice in this mapping, first in line {line}',
    help: 'A key may stand only once: the second would silently replace the first. Rename or remove one of them.',
  },
  MACH1010: {
    message: '{what} must be {wanted}, not {given}',
    help: 'The value has the wrong shape. A topology is a mapping with the keys `version`, `name`, `sources`, `operators` and `sinks`; each section is a mapping from ids to nodes; each node is a mapping with the name of its connector or operator as a key.',
  },
  MACH1011: {
    message: '{what}; this mach reads version 1',
    help: 'Every topology file says `version: 1`. The version is that of the format, not of your topology; it changes only when old files could be misunderstood.',
  },
  MACH1012: {
    message: '"{key}" is not a key of {where}',
    help: 'Only the keys that are listed are known here. A key in the wrong place (an option of an operator beside its name instead of below it) is the usual cause.',
  },
  MACH1013: {
    message: '{what}',
    help: 'Every topology has a `name`: a lower-case letter, then lower-case letters, digits, `-` and `_`, at most 64 in all. It is part of stream and subject names in the log, so renaming it starts a new topology with new state.',
  },
  MACH1014: {
    message: 'the topology has no {section}',
    help: 'A topology needs at least one source and one sink; without them nothing comes in or nothing is kept.',
  },
  MACH1015: {
    message: '{what}',
    help: 'Each node has exactly one key that names its connector or operator, with its options below:\n\n  waiting:\n    filter:\n      from: adt\n      when: kind == "arrival"\n\nBeside it only the shared keys may stand: `description`, and for sources `idle`, `disorder`, `durability` and `event_time`.',
  },
  MACH1016: {
    message: 'option {option} of {definition} is missing',
    help: 'The option has no default. `mach list NAME` shows the options of a connector or operator with an example.',
  },
  MACH1017: {
    message: '"{option}" is not an option of {definition}',
    help: 'The option is unknown, often a typing mistake or an option of another operator. `mach list NAME` shows the options. In an editor, the JSON Schema (`mach schema`) completes them.',
  },
  MACH1018: {
    message: 'option {option}: {problem}',
    help: 'The value has the wrong type or lies outside what is allowed. `mach list NAME` shows what the option takes.',
  },
  MACH1019: {
    message: '{option}: {problem}',
    help: 'Durations and sizes have their unit with them, so that nobody has to guess: `250ms`, `30s`, `5m`, `1h30m`, `7d`, `2w`; `64KiB`, `16MiB`, `1GiB`.',
  },
  MACH1020: {
    message: 'the topology has {count} nodes, more than topologyLimits.nodesMax ({max})',
    help: 'Split the topology: topologies can read what others write through the `nats` connector.',
  },
  MACH1021: {
    message: '{count} further problems are not shown (limits.diagnosticsMax)',
    help: 'Only the first problems of a file are shown. Repair those, and check again.',
  },
} as const;

const wiring = {
  MACH1101: {
    message: '"{id}" cannot be an id',
    help: 'An id starts with a lower-case letter and goes on with lower-case letters, digits, `-` and `_`, at most 64 in all. Ids name state, metrics and subjects, and `.` separates an id from a port.',
  },
  MACH1102: {
    message: 'the id "{id}" is taken: line {line} has {kind} of that name',
    help: 'Ids are unique over sources, operators and sinks together, because inputs, metrics and state are found by id alone.',
  },
  MACH1103: {
    message: '"{name}" is not {kind}',
    help: 'The catalogue has no connector or operator of that name. `mach list` shows all of them.',
  },
  MACH1104: {
    message: '"{name}" is {actual}, and cannot stand in {section}',
    help: 'Sources, operators and sinks have a section each. Move the node to the section of its kind. Some connectors exist as source and as sink (`nats`).',
  },
  MACH1105: {
    message: '{kind} "{id}" reads "{from}", which is not defined',
    help: 'An input names the id of a source or an operator of the same file, or a port of it: `waiting`, `waiting.late`.',
  },
  MACH1106: {
    message: '"{node}" has no port "{port}"',
    help: 'Beside their main output some nodes have others, such as `late` (events that came after their window had closed) and `dead` (events that could not be handled). `mach list NAME` shows the ports.',
  },
  MACH1107: {
    message: 'the nodes feed each other in a circle: {path}',
    help: 'Events flow in one direction: no node may depend, directly or through others, on its own output. Break the circle at the place that is shown, or send the results out through a sink and in again through a source.',
  },
  MACH1108: {
    message: '"{from}" is a sink; nothing comes out of it',
    help: 'An input reads from sources and operators. To use what a sink gets, read from the node that feeds the sink.',
  },
  MACH1109: {
    message: 'nothing reads {kind} "{id}"',
    help: 'A warning. What the node produces goes nowhere, yet it costs time and state. Connect it to a sink or remove it.',
  },
  MACH1110: {
    message: '"{from}" cannot name an input',
    help: 'An input is the id of a node, or an id, a dot and a port: `waiting`, `waiting.late`.',
  },
  MACH1111: {
    message: '"{from}" stands twice in this list',
    help: 'Each event of the node would be handled twice. Remove one of them.',
  },
} as const;

const types = {
  MACH1250: {
    message: '"{field}" is not a field of {from}',
    help: 'The field does not exist in the schema of the input. `mach explain FILE` shows the fields of every edge.',
  },
  MACH1251: {
    message: 'field {field} is {given}; {wanted} is needed here',
    help: 'The field exists, but its type does not fit. Convert it in a `map` before, or name another field. `mach explain FILE` shows the fields of every edge with their types.',
  },
  MACH1252: {
    message: '{problem}',
    help: 'The operator or connector refuses what was written; the message says why. `mach list NAME` shows its options and an example.',
  },
  MACH1253: {
    message: '{definition} failed while it was checked: {reason}',
    help: 'The options could not be prepared. Often a file that the node names is missing or wrong; if the message points at nothing in your file, it is a defect of the operator or connector: please report it with the topology.',
  },
  MACH1254: {
    message: '{kind} "{id}" cannot be reached: {reason}',
    help: 'Reported by `mach check --connect`: the options are right in themselves, but what the node talks to did not answer. Check the address, that the service runs, and the credentials.',
  },
} as const;

const references = {
  MACH1401: {
    message: 'the environment variable {name} is not set',
    help: 'The file uses `${env:NAME}`. Set the variable where mach is started, for example `NAME=value mach run FILE`. An empty value counts as set. `${env:NAME:-VALUE}` gives a value for when it is not set. Values are never printed.',
  },
  MACH1402: {
    message: 'the file {path} of a reference cannot be used: {reason}',
    help: 'The file uses `${file:PATH}`. The path is taken from the folder of the topology file. The content is used as it is, without the line break at its end; it must be UTF-8 text of at most topologyLimits.referencedFileBytesMax bytes. Contents are never printed.',
  },
  MACH1403: {
    message: '"{reference}" is not a reference',
    help: 'References are `${env:NAME}` and `${file:PATH}`, complete on one line. To write `${` itself, write `$${`.',
  },
  MACH1404: {
    message: 'references may stand in values only, not in the key "{key}"',
    help: 'Keys (ids, names of operators, names of options) decide what a topology is, and must not depend on where it runs.',
  },
} as const;

export const topologyErrors = defineErrors({ ...form, ...wiring, ...types, ...references });

export type TopologyErrorCode = keyof typeof topologyErrors.list & string;
