/**
 * Preloaded into an engine process (`node --import`), so that the harness can make it die at a named crash point, block its event loop, or
 * fill its heap. The engine itself knows nothing of it. Commands come over the IPC channel; `MACH_CHAOS_ARM=point:visit` arms
 * before the engine has begun.
 */
import { writeSync } from 'node:fs';

/** @type {{ point: string, visit: number } | undefined} */
let armed;
/** @type {Map<string, number>} */
const visits = new Map();
/** Kept so that the heap stays full. @type {object[][]} */
let ballast = [];

/** One line on stderr, written before anything else can happen. @param {object} line */
function say(line) {
  try {
    writeSync(2, `${JSON.stringify({ level: 30, ...line })}\n`);
  } catch {
    // A pipe that is full: the harness also sees how the process ended.
  }
}

/** @param {string} point @param {number} visit */
function arm(point, visit) {
  armed = { point, visit: (visits.get(point) ?? 0) + visit };
}

/** @type {Record<symbol, unknown>} */ (/** @type {unknown} */ (globalThis))[Symbol.for('mach.crash-points')] = {
  /** @param {string} name */
  at(name) {
    const visit = (visits.get(name) ?? 0) + 1;
    visits.set(name, visit);
    if (!armed || armed.point !== name || visit < armed.visit) return;
    say({ msg: 'chaos: killed at a crash point', point: name, visit });
    process.kill(process.pid, 'SIGKILL');
    // The signal may be delivered a moment later: nothing may happen after the point.
    for (;;);
  },
};

/** @param {number} ms */
function block(ms) {
  const until = performance.now() + ms;
  while (performance.now() < until);
  say({ msg: 'chaos: event loop was blocked', ms });
}

/**
 * Small objects, so that they lie in the heap itself; a little at a time, so that the engine runs beside it.
 * @param {number} bytes
 * @param {number} stepMs
 */
function fill(bytes, stepMs) {
  const step = 4 * 1024 * 1024;
  let filled = 0;
  const timer = setInterval(() => {
    if (filled >= bytes) return clearInterval(timer);
    ballast.push(Array.from({ length: step / 32 }, (_, index) => ({ index })));
    filled += step;
  }, stepMs);
  timer.unref();
}

process.on('message', (/** @type {import('./engine-process.ts').Command} */ command) => {
  if (command.kind === 'arm') arm(command.point, command.visit);
  if (command.kind === 'block') block(command.ms);
  if (command.kind === 'fill') fill(command.bytes, command.stepMs);
  if (command.kind === 'empty') ballast = [];
});
// Nobody is left to end this process when the harness is gone.
process.on('disconnect', () => process.kill(process.pid, 'SIGKILL'));
// The channel must not keep the process alive.
process.channel?.unref();

const early = /^(.+):(\d+)$/.exec(process.env.MACH_CHAOS_ARM ?? '');
if (early) arm(String(early[1]), Number(early[2]));
