/** Errors of the boards' server: 33xx. */
import { defineErrors } from '../errors.ts';

export const boardErrors = defineErrors({
  MACH3301: {
    message: 'the board {file} cannot be shown: {reason}',
    help: 'A board is a Classic JSON of Grafana (`schemaVersion`, `uid`, `title`, `panels`), as `dashboards/` holds them. Boards of schema v2 are not read.',
  },
  MACH3302: {
    message: 'there is no {what} "{name}"',
    help: 'The board, panel or variable was removed or renamed. Open the list of boards.',
  },
  MACH3303: {
    message: 'the query of the panel cannot be made: {reason}',
    help: 'The text of the query uses a macro or a variable that is not there, or wrongly. Macros are those of the ClickHouse plugin of Grafana.',
  },
  MACH3304: {
    message: 'the request is not one that is taken: {reason}',
    help: 'Times are ISO 8601 or ms since the epoch, the end after the beginning; values of variables are among their options. Queries come from the boards on the server alone.',
  },
  MACH3305: {
    message: 'too many queries wait already ({max}, queriesWaitingMax)',
    help: 'The store answers more slowly than it is asked. Refresh less often, or look at what the store does.',
  },
  MACH3306: {
    message: 'the server of the boards cannot listen on {address}: {reason}',
    help: 'Another program has the port, or the address is not of this machine. `--listen` takes a port or host:port.',
  },
  MACH3307: {
    message: 'the file of tokens {file} cannot be used: {reason}',
    help: 'It is YAML: `tokens`, a list of `name`, `roles` (view, operate, reveal) and `sha256` of the token. `mach boards token NAME --roles view,operate` makes one.',
  },
  MACH3308: {
    message: 'boards on {address} need tokens: --tokens FILE',
    help: 'On loopback everyone of this machine may look and acknowledge. Elsewhere everyone on the network could: name a file of tokens, or listen on 127.0.0.1.',
  },
  MACH3309: {
    message: 'this may not be done: {reason}',
    help: 'A token has roles: view, operate (acknowledge and assign alerts), reveal (what points at a person). Ask who keeps the file of tokens.',
  },
  MACH3310: {
    message: 'no engine answers: {reason}',
    help: 'Boards show what is in the store, whether an engine runs or not. The topology, and what people do about alerts, need one that runs: `mach run FILE`.',
  },
  MACH3311: {
    message: 'there is no store in the data folder {directory}',
    help: 'No engine has run on this folder. Name the one that it ran with: `--data FOLDER`; or, when the store is a ClickHouse server, set CLICKHOUSE_URL as for `mach run`.',
  },
  MACH3312: {
    message: 'what was done about the alert could not be written to the log: {reason}',
    help: 'Actions reach the topology through its source of kind `actions`, which the running engine must have. Nothing was written; do it again when it runs.',
  },
  MACH3313: {
    message: 'why {result} is there cannot be told: {reason}',
    help: 'The way back goes through the log of the engine that runs on the data folder: `mach why RESULT --data FOLDER` on its machine tells the same, and takes the file of a topology that does not run.',
  },
});
