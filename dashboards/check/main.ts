/** `npm run boards:check`: the boards over a month of a whole city. */
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { systemClock, wallTime } from '../../runtime/clock.ts';
import { openStore } from '../../runtime/store/index.ts';
import { boards } from '../boards/index.ts';
import { outdatedFiles } from '../files.ts';
import { renderBoard } from '../kit/render.ts';
import { fillCity, wholeCity } from '../sample/city.ts';
import { queriesOf, runQuery } from './run-queries.ts';

const days = Number(process.argv[2] ?? 30);
const hourMs = 3_600_000;
/** The last ten o'clock in the morning of the city: a busy hour, and the engine's own tables keep only the last days. */
const tenInTheCityMs = 3 * hourMs;
const end = Math.floor((wallTime() - tenInTheCityMs) / (24 * hourMs)) * 24 * hourMs + tenInTheCityMs;
const ranges = { '6 h': 6 * hourMs, '24 h': 24 * hourMs, '30 d': days * 24 * hourMs };

const directory = await mkdtemp(join(tmpdir(), 'mach-boards-'));
const store = await openStore({ directory, clock: systemClock() });
const problems = outdatedFiles();
try {
  const startedAt = performance.now();
  await fillCity(store, { ...wholeCity, days, end });
  console.log(`${days} days of the city in ${((performance.now() - startedAt) / 1000).toFixed(1)} s`);
  for (const board of boards) {
    for (const query of queriesOf(renderBoard(board, 'vi'))) {
      for (const [name, backMs] of Object.entries(ranges)) {
        const run = await runQuery(store, query, { from: end - backMs, to: end, times: 5 });
        console.log(
          `${run.problem ? 'FAILED' : `${run.ms.toFixed(0).padStart(5)} ms`} ${String(run.rows.length).padStart(6)} of ${String(run.rowsRead).padStart(9)} rows  ${name.padEnd(4)}  ${run.board}: ${run.panel}`,
        );
        if (run.problem) problems.push(`${run.board}: ${run.panel}: ${run.problem}`);
      }
    }
  }
} finally {
  await store.close();
  await rm(directory, { recursive: true, force: true });
}
for (const problem of problems) console.log(problem);
process.exitCode = problems.length > 0 ? 1 : 0;
