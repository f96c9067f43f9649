/** Starts the process that holds the embedded store: `store.js DIRECTORY PORT [--detached] [--reserve=BYTES]`. The engine starts it; nobody else needs to. */
import { loadProgram, store } from './start.mjs';

const { runProgram } = await loadProgram(store, 'store');
await runProgram();
