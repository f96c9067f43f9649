/** Runs the past through a topology, as one partition and as fast as the machine can. Reads the log, writes only by what it is given. */
import { wallTime } from '../../clock.ts';
import type { BoundTopology } from '../../topology/bound.ts';
import type { InputFrame, OutputRow } from '../log-frame.ts';
import type { LookupQuestion } from '../lookup.ts';
import type { StageMachine } from '../stage-machine.ts';
import { askAll, checkLookups } from './ask-again.ts';
import { replayLimits } from './limits.ts';
import type { Past, PastMachine, PastMessage } from './past.ts';
import { redecoder } from './redecode.ts';
import { matchSources } from './source-match.ts';

/** Takes the rows of a replay. */
export interface ReplayOutput {
  row(output: string, row: OutputRow): void;
  /** Resolves when more may come; called between messages. Undefined: at once. */
  ready(): Promise<void> | undefined;
  /** Resolves when all is written. */
  finish(): Promise<void>;
}

export interface ReplayProgress {
  /** `catching-up`: the state before the first message is made; its results are not written. */
  readonly phase: 'catching-up' | 'replaying' | 'done';
  /** Input sequence handled last, and the last that will be. */
  readonly sequence: number;
  readonly until: number;
  readonly messages: number;
  readonly events: number;
  readonly rows: number;
  readonly eventsPerSecond: number;
  /** Newest event time, and engine time of acceptance, that was reached; ms since the epoch. */
  readonly eventTime: number | null;
  readonly acceptedAt: number | null;
  readonly remainingMs: number | null;
}

export interface ReplayOptions {
  readonly past: Past;
  /** What is run, and what wrote the log. */
  readonly topology: BoundTopology;
  readonly before: BoundTopology;
  /** The first and the last message whose results are written. */
  readonly from: number;
  readonly until: number;
  readonly output: ReplayOutput;
  readonly redecode?: boolean;
  readonly askAgain?: boolean;
  readonly signal?: AbortSignal;
  readonly onNote?: (note: string) => void;
  readonly onProgress?: (progress: ReplayProgress) => void;
}

export interface ReplayResult extends ReplayProgress {
  /** Checkpoint that the state before came from. */
  readonly restored: PastMachine['restored'];
  /** Messages before the first that the log no longer has and no checkpoint stands for. */
  readonly missing: number;
  readonly rowsBySink: Readonly<Record<string, number>>;
  readonly durationMs: number;
}

/** Rejects with MACH3231 to MACH3233, MACH3239, and what the output rejects with. */
export async function replay(options: ReplayOptions): Promise<ReplayResult> {
  const { past, topology, before, from, until, output, signal } = options;
  const redecode = options.redecode ? redecoder({ before, topology }) : undefined;
  const asked = checkLookups({
    before,
    topology,
    redecode: redecode !== undefined,
    askAgain: options.askAgain ?? false,
  });
  const sources = matchSources({ before, topology, ...(redecode && { redecoded: redecode.sources }) });
  for (const note of sources.notes) options.onNote?.(note);
  const meter = startMeter(options);
  let questions: LookupQuestion[] = [];
  const question = (one: LookupQuestion) => {
    if (asked.has(one.node)) questions.push(one);
  };

  function adapt(message: PastMessage): InputFrame | undefined | Promise<InputFrame> {
    // Of a look-up that is asked anew the old answers do not count.
    if (message.frame.kind === 'answers' && asked.has(message.node)) return undefined;
    const frame = sources.adapt(message);
    if (!redecode || frame?.kind !== 'source' || !redecode.sources.has(message.node)) return frame;
    return redecode.redecode(message, frame);
  }

  async function answerAll(machine: StageMachine): Promise<void> {
    // An answer may let the next look-up ask.
    while (questions.length > 0) {
      const due = questions;
      questions = [];
      for (const [node, frame] of await askAll(due, signal)) machine.answerNow(node, frame);
    }
  }

  const machine = await past.machineBefore(from, {
    adapt,
    listener: { question },
    ...(signal && { signal }),
    onMessage(message, stage) {
      if (message) meter.handled(message, 'catching-up');
      else hearNobody(stage, sources.unheard);
      if (questions.length > 0) return answerAll(stage);
    },
  });
  if (machine.missing > 0) {
    options.onNote?.(
      `the log begins at ${past.first}: no checkpoint stands for the ${machine.missing} messages before it, and the state does not know of them`,
    );
  }
  const rowsBySink: Record<string, number> = {};
  machine.listen({
    question,
    row(sink, row) {
      rowsBySink[sink] = (rowsBySink[sink] ?? 0) + 1;
      meter.row();
      output.row(sink, row);
    },
  });
  for await (const message of past.messages(from, { until, ...(signal && { signal }) })) {
    const adapted = adapt(message);
    const frame = adapted instanceof Promise ? await adapted : adapted;
    if (frame) machine.handle({ ...message, frame });
    if (questions.length > 0) await answerAll(machine.machine);
    meter.handled(message, 'replaying');
    const wait = output.ready();
    if (wait) await wait;
  }
  await output.finish();
  return { ...meter.now('done'), ...result(machine, rowsBySink), durationMs: meter.elapsedMs() };
}

const result = ({ restored, missing }: PastMachine, rowsBySink: Record<string, number>) => ({
  restored,
  missing,
  rowsBySink,
});

/** Sources that the log has nothing of hold nobody's time, as one that nobody ever used holds nobody's. */
function hearNobody(machine: StageMachine, sources: readonly string[]): void {
  for (const source of sources) {
    machine.handle(machine.sequence, source, { kind: 'silence', idle: [], closed: [], quiet: true });
  }
}

function startMeter({ past, until, onProgress }: ReplayOptions) {
  const began = wallTime();
  let saidAt = began;
  let first: number | undefined;
  let sequence = past.first - 1;
  let messages = 0;
  let events = 0;
  let rows = 0;
  let eventTime: number | null = null;
  let acceptedAt: number | null = null;
  const elapsedMs = () => Math.max(1, wallTime() - began);

  function now(phase: ReplayProgress['phase']): ReplayProgress {
    const done = sequence - (first ?? sequence) + 1;
    const left = Math.max(0, until - sequence);
    return {
      phase,
      sequence,
      until,
      messages,
      events,
      rows,
      eventsPerSecond: Math.round((events * 1_000) / elapsedMs()),
      eventTime,
      acceptedAt,
      remainingMs: messages === 0 ? null : Math.round((elapsedMs() / done) * left),
    };
  }

  return {
    now,
    elapsedMs,
    row() {
      rows++;
    },
    handled({ sequence: at, frame }: PastMessage, phase: 'catching-up' | 'replaying') {
      first ??= at;
      sequence = at;
      messages++;
      if (frame.kind === 'source') {
        events += frame.events.length;
        for (const time of frame.times) if (eventTime === null || time > eventTime) eventTime = time;
        acceptedAt = frame.engineTime ?? acceptedAt;
      }
      const time = wallTime();
      if (time - saidAt < replayLimits.progressEveryMs) return;
      saidAt = time;
      onProgress?.(now(phase));
    },
  };
}
