/** An operator that goes on with the state of one of other options, as after a change of its topology. */
import { deserialize, serialize } from 'node:v8';
import { Subject } from 'rxjs';
import type { Frame } from '../stream/frame.ts';
import { Ledger } from '../stream/ledger.ts';
import type { RunnerSnapshot } from '../stream/node-runner.ts';
import type { BoundOperator } from '../stream/operator-definition.ts';
import { OperatorRunner } from '../stream/operator-runner.ts';
import type { Emitted, Step } from './operator-harness.ts';

/** What comes out by the port `out` after the last restart; its input does not end. */
export function restartedRun(...runs: readonly (readonly [BoundOperator, readonly Step[]])[]): readonly Emitted[] {
  let last: ReturnType<typeof take> | undefined;
  for (const [bound, steps] of runs)
    last = take(bound, steps, last && (deserialize(serialize(last.snapshot)) as RunnerSnapshot));
  return last?.given ?? [];
}

function take(bound: BoundOperator, steps: readonly Step[], restored?: RunnerSnapshot) {
  const runner = new OperatorRunner({ node: 'under-test', bound, inputs: ['from'], ledger: new Ledger() });
  const frames = new Subject<Frame>();
  const given: Emitted[] = [];
  runner.connect('from', frames);
  runner.output('out').subscribe((frame) => {
    if (frame.kind === 'batch')
      given.push(...frame.events.map((event, at) => ({ event, time: frame.times[at] as number })));
  });
  if (restored) {
    runner.restore(restored);
    runner.resume();
  }
  for (const step of steps) {
    if (step.kind === 'watermark') frames.next({ kind: 'watermark', time: step.time, idle: step.idle });
    else frames.next({ kind: 'batch', events: [step.event], times: [step.time], causes: [-1] });
  }
  return { given, snapshot: runner.snapshot() };
}
