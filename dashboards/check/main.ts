/**
 * `npm run boards:check [-- DAYS]`: the boards over a month of a whole city, in the embedded store. Every query of every board is run as Grafana would, over
 * ranges from hours to the whole month; dashboards are linted, held against Grafana's types, and compared with the files that are committed.
 */
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { systemClock, wallTime } from '../../runtime/clock.ts';
import { openStore } from '../../runtime/store/index.ts';
import { boards } from '../boards/index.ts';
import { renderBoard } from '../kit/render.ts';
import { fillCity, wholeCity } from '../sample/city.ts';
import { checkLimits } from './limits.ts';
import { type QueryRun, queriesOf, runQuery } from './run-queries.ts';
import { staticProblems } from './static.ts';

const hourMs = 3_600_000;
const dayMs = 24 * hourMs;
const days = Number(process.argv[2] ?? checkLimits.days);
/** The last ten o'clock in the morning of the city: a busy hour; and the engine's own tables keep only the last days. */
const tenInTheCityMs = 3 * hourMs;
const end = Math.floor((wallTime() - tenInTheCityMs) / dayMs) * dayMs + tenInTheCityMs;
const ranges = { '6 h': 6 * hourMs, '24 h': dayMs, '7 d': Math.min(7, days) * dayMs, [`${days} d`]: days * dayMs };

function problemOf(run: QueryRun, range: string): string | undefined {
  const place = `${run.board}: ${run.panel}, ${range}`;
  if (run.problem) return `${place}: ${run.problem}`;
  if (run.rows.length === 0) return `${place}: the answer is empty`;
  if (run.rowsRead > checkLimits.rowsReadMax)
    return `${place}: reads ${run.rowsRead} rows, more than ${checkLimits.rowsReadMax} (rowsReadMax)`;
  if (run.ms > checkLimits.panelMsMax)
    return `${place}: takes ${run.ms.toFixed(0)} ms, more than ${checkLimits.panelMsMax} (panelMsMax)`;
  return undefined;
}

const directory = await mkdtemp(join(tmpdir(), 'mach-boards-'));
const store = await openStore({ directory, clock: systemClock() });
const problems = staticProblems();
let slowest: QueryRun | undefined;
let panels = 0;
try {
  const startedAt = performance.now();
  await fillCity(store, { ...wholeCity, days, end });
  console.log(`${days} days of the city in ${((performance.now() - startedAt) / 1000).toFixed(0)} s`);
  for (const board of boards) {
    const queries = queriesOf(renderBoard(board, 'vi'));
    panels += queries.filter(({ kind }) => kind !== 'variable').length;
    for (const query of queries) {
      for (const [name, backMs] of Object.entries(ranges)) {
        const bounds = {
          wantedMs: checkLimits.panelMsMax,
          runsMax: checkLimits.runsMax,
          storeProcessId: store.embedded?.pid,
        };
        const run = await runQuery(store, query, { from: end - backMs, to: end, ...bounds });
        const problem = problemOf(run, name);
        if (problem) problems.push(problem);
        if (!slowest || run.ms > slowest.ms) slowest = run;
        const figures = `${run.ms.toFixed(0).padStart(5)} ms (processor ${String(run.processorMs ?? '?').padStart(4)}) ${String(run.rowsRead).padStart(9)} rows read ${String(run.rows.length).padStart(6)} given`;
        console.log(`${problem ? 'FAILED' : 'ok    '} ${figures}  ${name.padEnd(4)} ${run.board}: ${run.panel}`);
      }
    }
  }
} finally {
  await store.close();
  await rm(directory, { recursive: true, force: true });
}
for (const problem of problems) console.log(problem);
console.log(
  `${boards.length} boards, ${panels} panels, slowest panel ${slowest?.ms.toFixed(0)} ms (${slowest?.board}: ${slowest?.panel})`,
);
process.exitCode = problems.length > 0 ? 1 : 0;
