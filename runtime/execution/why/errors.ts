/** Errors of `mach why`: MACH3260 to 3279. */
import { defineErrors } from '../../errors.ts';

export const whyErrors = defineErrors({
  MACH3260: {
    message: '"{result}" is not a result that can be looked for: {reason}',
    help: "A result is a table (or the id of a sink) and what its row has: `mach why alerts hospital=H1,state=raised`; its place, as the columns `_stage`, `_partition`, `_sequence` and `_index` of the row say it: `mach why alerts/s1/0/4711/2`; or the id of an alert: `mach why 'crowding/H1/2026-03-02T03:07:00.000Z'`. Times have their offset, `2026-03-02T07:00:00+07:00`, or are ms since 1970.",
  },
  MACH3261: {
    message: 'no row of {result} is in the log',
    help: 'Results stand in the log for as long as what they were made of: `limits.logAgeMs` (7 days). Either there never was such a row, or it is older, or it became a dead letter before it went out (MACH3211; `mach dead-letter list`). `mach why TABLE` alone explains its newest row.',
  },
  MACH3262: {
    message: 'the log no longer has message {sequence}, which gave this row: it begins at {first}',
    help: 'The log keeps what was accepted for `limits.logAgeMs` (7 days); this result is older than that, and what it was made of has aged out. Its row in the store still says which message it was (`_sequence`).',
  },
  MACH3263: {
    message: 'message {sequence}, handled again, does not give this row{missing}',
    help: 'Either the topology is no longer the one that gave the row (give the old file with `--topology`), or a table of a `join` is another than then, or its state then came from messages that the log no longer has, and no checkpoint from before the row is left. A named checkpoint (`mach checkpoint save`) keeps such a state.',
  },
  MACH3264: {
    message: 'there is no node {node} in {topology}{suggestion}',
    help: '`mach graph FILE` shows the nodes. `mach why --open` wants an operator: sources and sinks keep nothing for a key.',
  },
  MACH3265: {
    message: 'there is neither a running engine nor a checkpoint of {topology} here',
    help: '`mach why --open` asks the engine that runs (found by `--data`, or given with `--url`), or else looks into the last checkpoint. Start the topology, or name the data folder of its run with `--data`.',
  },
  MACH3266: {
    message: 'a key of {node} has {values} ({fields}), not {given}',
    help: 'The values of a key of several fields are written with commas between them, in the order of the option `key`: `mach why --open NODE H1,ICU`; or with the names of the fields, in any order: `ward=ICU,hospital=H1`. Where a value has a comma itself, as a list of JSON, such as `["H1", "ICU, tầng 2"]`.',
  },
  MACH3267: {
    message: 'a key of {node} has the fields {fields}: {reason}',
    help: 'With names, each field of the key is named once, in any order: `mach why --open NODE ward=ICU,hospital=H1`. Without names the values stand in the order of the option `key`: `mach why --open NODE H1,ICU`. Where a value has a comma or an equals sign itself, the key is written as a list of JSON, such as `["H1", "ICU, tầng 2"]`.',
  },
  MACH3268: {
    message: 'a key of {node} has {fields}: that points at a person, and who asks for one has to say why',
    help: 'Whether anything is kept of a person is not for everybody to know. On the machine of the engine `mach why --open NODE KEY --reason TEXT` answers, after it has written into `audit.ndjson` in the data folder who asked, when, for whom and why. The boards do not answer it.',
  },
});
