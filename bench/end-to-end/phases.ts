/** The two kinds of phases: latency at a rate (open loop), and the highest rate with a bounded lag (closed loop over rows). */
import { type Latencies, latenciesOf, PhaseJudge, type Verdict } from './judge.ts';
import type { Driven, Seen } from './messages.ts';
import type { Session } from './session.ts';
import { type Cores, startUsage } from './usage.ts';
import { isKept, type Protocol, poissonTimes, protocolOf } from './workload.ts';

/** The poller asks less often while a rate is measured: each question costs the store some milliseconds. */
const sustainedPollMs = 100;
/** The filling of the pipe is left out: this long, or a fifth of the phase. */
const fillingMsMax = 2_000;

export interface LatencyOptions {
  readonly perSecond: number;
  readonly durationMs: number;
  readonly feedShare: number;
  readonly seed: number;
  readonly pollMs: number;
}

export interface LatencyPhase {
  readonly events: number;
  readonly seconds: number;
  readonly verdict: Verdict;
  readonly all_ms: Latencies;
  readonly by_protocol_ms: Readonly<Record<Protocol, Latencies>>;
  readonly driver_late_max_ms: number;
  /** Resolution of the latencies: a row is found this long after it became readable, at most. */
  readonly poll_every_ms: number;
  readonly poll_query_ms: Latencies;
  readonly cores: Cores;
  readonly events_per_log_message: number;
}

export interface SustainedOptions {
  readonly protocol: Protocol;
  readonly durationMs: number;
  readonly waitingMax: number;
}

export interface SustainedPhase {
  readonly protocol: Protocol;
  readonly events_per_second: number;
  readonly seconds: number;
  /** At most this many events were sent and not yet readable: the lag cannot have grown beyond them. */
  readonly waiting_max: number;
  /** Rate of the first and the second half: one that falls is not sustained. */
  readonly halves: readonly [number, number];
  readonly verdict: Verdict;
  readonly cores: Cores;
  readonly events_per_log_message: number;
}

function keptOf(first: number, count: number): number {
  let kept = 0;
  for (let number = first; number < first + count; number++) if (isKept(number)) kept++;
  return kept;
}

async function messageSize(session: Session): Promise<() => Promise<number>> {
  const before = await session.engine.frames();
  return async () => {
    const after = await session.engine.frames();
    return Math.round(((after.events - before.events) / (after.messages - before.messages)) * 10) / 10;
  };
}

export async function measureLatency(session: Session, args: LatencyOptions): Promise<LatencyPhase> {
  const first = session.nextNumber;
  const times = poissonTimes(args);
  session.nextNumber += times.length;
  session.pollEvery(args.pollMs);
  const expected = keptOf(first, times.length);
  const seen: Seen[] = [];
  let rows = 0;
  const eventsPerMessage = await messageSize(session);
  const used = startUsage(session);
  const driven = await session.watch(
    { kind: 'open-loop', firstNumber: first, ...args },
    {
      take(one) {
        seen.push(one);
        rows += one.numbers.length;
      },
      isDone: () => rows >= expected,
    },
  );
  const usage = used();
  const intendedOf = (index: number) => Math.floor(driven.startedWall + (times[index] as number));
  const judge = new PhaseJudge({ first, count: times.length, expected, intendedOf });
  for (const one of seen) judge.take(one);
  return {
    events: times.length,
    ...usage,
    verdict: judge.verdict(await storedRows(session, first, times.length)),
    ...latenciesByProtocol({ judge, driven, times, first, feedShare: args.feedShare }),
    driver_late_max_ms: Math.round(driven.lateMaxMs * 10) / 10,
    poll_every_ms: args.pollMs,
    poll_query_ms: latenciesOf(judge.queryMs),
    events_per_log_message: await eventsPerMessage(),
  };
}

function latenciesByProtocol(args: {
  judge: PhaseJudge;
  driven: Driven;
  times: Float64Array;
  first: number;
  feedShare: number;
}): Pick<LatencyPhase, 'all_ms' | 'by_protocol_ms'> {
  const { judge, driven, times, first, feedShare } = args;
  const values: Record<Protocol | 'all', number[]> = { all: [], 'feed-115': [], 'hl7-mllp': [] };
  for (let index = 0; index < times.length; index++) {
    const at = judge.seenAt[index] as number;
    if (Number.isNaN(at)) continue;
    const latency = at - (driven.startedAt + (times[index] as number));
    values.all.push(latency);
    values[protocolOf(first + index, feedShare)].push(latency);
  }
  return {
    all_ms: latenciesOf(values.all),
    by_protocol_ms: { 'feed-115': latenciesOf(values['feed-115']), 'hl7-mllp': latenciesOf(values['hl7-mllp']) },
  };
}

export async function measureSustained(session: Session, args: SustainedOptions): Promise<SustainedPhase> {
  const first = session.nextNumber;
  session.pollEvery(sustainedPollMs);
  const seen: Seen[] = [];
  let rows = 0;
  let expected: number | undefined;
  const eventsPerMessage = await messageSize(session);
  const used = startUsage(session);
  const driven = await session.watch(
    { kind: 'closed-loop', firstNumber: first, ...args },
    {
      take(one) {
        seen.push(one);
        rows += one.numbers.length;
        session.drive({ kind: 'readable', rows });
      },
      isDone({ numbers }) {
        expected ??= keptOf(first, numbers);
        return rows >= expected;
      },
    },
  );
  const { cores } = used();
  session.nextNumber += driven.numbers;
  const judge = new PhaseJudge({ first, count: driven.numbers, expected: expected ?? 0 });
  for (const one of seen) judge.take(one);
  return {
    protocol: args.protocol,
    ...ratesOf(seen, driven),
    waiting_max: args.waitingMax,
    verdict: judge.verdict(await storedRows(session, first, driven.numbers)),
    cores,
    events_per_log_message: await eventsPerMessage(),
  };
}

/** Rows that became readable while the driver sent: neither the filling of the pipe nor its emptying counts. */
function ratesOf(
  seen: readonly Seen[],
  driven: Driven,
): Pick<SustainedPhase, 'events_per_second' | 'seconds' | 'halves'> {
  const begin = driven.startedAt + Math.min(fillingMsMax, (driven.endedAt - driven.startedAt) / 5);
  const looks = seen.filter(({ at }) => at >= begin && at <= driven.endedAt);
  const rate = (part: readonly Seen[]) => {
    const rows = part.slice(1).reduce((sum, { numbers }) => sum + numbers.length, 0);
    const seconds = ((part.at(-1)?.at ?? 0) - (part[0]?.at ?? 0)) / 1_000;
    return { perSecond: seconds > 0 ? Math.round(rows / seconds) : 0, seconds };
  };
  const middle = looks.length >> 1;
  const { perSecond, seconds } = rate(looks);
  return {
    events_per_second: perSecond,
    seconds: Math.round(seconds * 10) / 10,
    halves: [rate(looks.slice(0, middle + 1)).perSecond, rate(looks.slice(middle)).perSecond],
  };
}

/** What the store itself counts, whatever the poller saw. */
async function storedRows(session: Session, first: number, count: number): Promise<{ rows: number; distinct: number }> {
  const numbers = (table: string, field: string) =>
    `SELECT toUInt32(assumeNotNull(substring(${field}, 2))) AS number FROM ${table}`;
  const sql =
    `SELECT toFloat64(count()), toFloat64(uniqExact(number)) ` +
    `FROM (${numbers('bench_runs', 'call_id')} UNION ALL ${numbers('bench_visits', 'message_id')}) ` +
    `WHERE number >= ${first} AND number < ${first + count} FORMAT JSONCompact`;
  const response = await fetch(session.engine.storeUrl, { method: 'POST', body: sql });
  if (!response.ok) throw new Error(`the store answered ${response.status}: ${await response.text()}`);
  const { data } = (await response.json()) as { data: [number, number][] };
  const [rows, distinct] = data[0] ?? [0, 0];
  return { rows, distinct };
}
