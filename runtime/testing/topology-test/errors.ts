/** Errors of topology tests: in the file of tests (150x, 151x), and of running them (152x). */
import { defineErrors } from '../../errors.ts';

export const topologyTestErrors = defineErrors({
  MACH1501: {
    message: '{problem}',
    help: 'The file of tests has another form than this:\n\n  topology: waiting-rooms.yaml\n  tests:\n    - name: what is to be true\n      start: 2026-03-02T07:00:00+07:00\n      steps:\n        - send: { source: adt, event: { kind: arrival } }\n        - advance: 5m\n        - expect: { sink: alarms, rows: 1 }\n\ndocs/topology-tests.md describes every step.',
  },
  MACH1502: {
    message: '"{key}" is not a key of {where}',
    help: 'Only the keys that are listed are known here, often it is a typing mistake. docs/topology-tests.md describes every step.',
  },
  MACH1503: {
    message: 'the topology {topology} has errors',
    help: 'Tests run only on a topology that `mach check` finds right. Its own errors are listed beside this one.',
  },
  MACH1504: {
    message: '"{name}" is not a source of {topology}',
    help: 'A `send` names a source of the topology by its id.',
  },
  MACH1505: {
    message: '"{name}" is not a sink of {topology}',
    help: 'An `expect` names a sink of the topology by its id.',
  },
  MACH1506: {
    message: '"{field}" is not a field of {node}',
    help: '`mach explain FILE` shows the fields of every edge. Beside them an event may carry `$time`, its event time.',
  },
  MACH1507: {
    message: 'field {field}: {problem}',
    help: 'The value does not have the type that the field has in the schema of the source or sink, or it lies out of the bounds that the source holds it to: then it is a dead letter in the engine, which `text` and `file` become in a test too. Times are ISO 8601, `now`, or relative to the time of the test: `+10s`, `-5m`. Text that YAML would read as a number stands in quotes.',
  },
  MACH1508: {
    message: '{what}: {problem}',
    help: 'Durations have their unit with them: `250ms`, `30s`, `5m`, `1h30m`, `7d`.',
  },
  MACH1509: {
    message: '{what}: {problem}',
    help: 'Times are ISO 8601 with their zone (`2026-03-02T07:00:00+07:00`), `now`, or relative to the time of the test (`+10s`, `-5m`).',
  },
  MACH1510: {
    message: '"{name}" is not a node of {topology} that can stand here',
    help: 'Name a source, operator or sink by its id; `counts` are those of operators and sinks.',
  },
  MACH1511: {
    message: 'source {source} cannot be sent this: {reason}',
    help: '`text` and `file` go through the decoder of the source, as `mach decode` does. Sources that cannot decode files are sent `event` or `events`.',
  },
  MACH1512: {
    message: 'sink {sink} has no table whose key says which rows belong together',
    help: 'Name the fields: `latest: [hospital, minute]`. `latest: true` works for sinks that write a table with `order_by`.',
  },
  MACH1513: {
    message: 'no tests were found in {file}',
    help: 'Name a file of tests (`waiting-rooms.test.yaml`), a topology that has one beside it, or a folder with such files.',
  },
  MACH1514: {
    message: '"{name}" is not a look-up of {topology}',
    help: '`mocks` names operators that ask outside (`enrich`), by their ids.',
  },
  MACH1515: {
    message: '"{name}" is not an output of {topology}',
    help: 'An output is a node, or node:port such as `dedupe:duplicate`. `mach explain FILE` shows them.',
  },
  MACH1516: {
    message: 'no test has "{text}" in its name',
    help: '`--only TEXT` runs the tests whose names contain the text. A run of none would pass, whatever the topology does.',
  },
  MACH1520: {
    message: '{what}',
    help: 'The topology did something else than the test expects. The difference shows expected (-) and got (+).',
  },
  MACH1521: {
    message: 'the accounting does not balance: {accounting}',
    help: 'Every accepted event ends as delivered, filtered, late, dropped or dead-lettered. An operator lost one, or settled one twice: that is a mistake of the operator.',
  },
  MACH1522: {
    message: 'the rows of {sink} differ when the same input is {how}',
    help: 'Results may depend only on the order of the log, never on how it was cut into messages or where the process died. An operator reads a clock or a random number, or keeps state outside of `keyedState`: that is a mistake of the operator.',
  },
  MACH1524: {
    message: 'node {node} asks outside, and no mock answers {question}',
    help: 'A test asks nobody outside. Write what the look-up is answered, in the file or in the test:\n\n  mocks:\n    named: [{ when: { hospital: H1 }, answer: { name: Bệnh viện Một }, after: 200ms }, { error: away }]',
  },
  MACH1525: {
    message: 'there is no snapshot "{name}" of this test yet: mach test --update writes it',
    help: '`mach test --update` writes the rows as they are now beside the tests, for you to read and to keep with them.',
  },
  MACH1526: {
    message: '{what} differ at {partitions} partitions',
    help: 'The same log gives the same rows however many partitions handle it. An operator says of its state that it may be spread by a key (`spread`), and keeps something that belongs to several keys: that is a mistake of the operator.',
  },
  MACH1527: {
    message: 'the test ends, and this fault has not come: {fault}',
    help: '`crash: NODE` comes when the node handles its next event, `crash_after: N` when so many more messages have been handled, `drop_acks: N` with the next messages that are sent. Send what brings it on after the step, or take it out: a test that looks as if it proved something proves nothing.',
  },
  MACH1523: {
    message: 'the run ended: {reason}',
    help: 'The engine could not go on with this test. The reason is that of the engine.',
  },
});

export type TopologyTestErrorCode = keyof typeof topologyTestErrors.list & string;
