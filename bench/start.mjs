/**
 * Starts a program of the bench as `mach` is started, from a bundle, so that what is measured is what runs: `start.mjs peers/loop/main.ts`. The file
 * exports `runProgram`.
 */
import path from 'node:path';
import { command, loadProgram } from '../bin/start.mjs';

const [entry = 'main.ts'] = process.argv.splice(2, 1);
const { root, inlined } = command;
const folder = path.join(root, '.mach/bench', entry.replace(/\.ts$/, '').replaceAll('/', '-'));
const place = { root, entry: path.join(import.meta.dirname, entry), folder, inlined, alongside: [] };
const { runProgram } = await loadProgram(place, 'bench');
await runProgram();
