/** For tests: the server on a free port, with a context that keeps what was appended and can hold or refuse it. */
import { systemClock } from '../../runtime/clock.ts';
import type { AppendRequest, Checker, Logger, RunningSource, SourceContext } from '../../runtime/stream/index.ts';
import { hl7Mllp } from './index.ts';
import { hl7Options } from './options.ts';

export interface TestServer {
  readonly source: RunningSource;
  readonly port: number;
  /** Requests in the order in which they came. */
  readonly appended: AppendRequest[];
  readonly counts: Map<string, number>;
  /** Engine drain. */
  readonly abort: AbortController;
}

export interface TestServerOptions {
  readonly options?: Readonly<Record<string, unknown>>;
  /** Stands for the log: what it returns or throws is the outcome of the append. */
  readonly append?: (request: AppendRequest) => Promise<void>;
}

const silent: Logger = { debug() {}, info() {}, warn() {}, error() {} };

/** The parts of the checker that a source uses. */
export const testCheck = {
  problem: (_: unknown, message: string) => {
    throw new Error(message);
  },
  resolveFile: (path: string) => path,
} as unknown as Checker;

export async function startServer({ options = {}, append }: TestServerOptions = {}): Promise<TestServer> {
  const appended: AppendRequest[] = [];
  const counts = new Map<string, number>();
  const abort = new AbortController();
  const context: SourceContext = {
    node: 'adt',
    clock: systemClock(),
    machineClock: systemClock(),
    logger: silent,
    signal: abort.signal,
    async append(request) {
      appended.push(request);
      await append?.(request);
    },
    mark: () => undefined,
    originClosed() {},
    async ended() {},
    count(metric, by) {
      counts.set(metric, (counts.get(metric) ?? 0) + by);
    },
    gauge(metric, value) {
      counts.set(metric, value);
    },
    async *subscribe() {},
  };
  const bound = hl7Mllp.bind({ options: hl7Options.parse({ listen: 0, ...options }), check: testCheck });
  const source = await bound.open(context);
  const port = Number(source.address.slice(source.address.lastIndexOf(':') + 1));
  return { source, port, appended, counts, abort };
}

/** A message of made-up content. `more`: fields of MSH from MSH-13 on. */
export function testMessage(id: string, { hospital = 'BV01', more = '' } = {}): string {
  return [
    `MSH|^~\\&|HIS|${hospital}|MACH|115|20260302070000||ADT^A04^ADT_A01|${id}|P|2.5.1${more}`,
    'EVN|A04|20260302070000',
    'PID|1||BN01^^^BV01^MR||Nguyễn^Thử^Văn||19800101|M',
    'PV1|1|E|ED^R1^B2',
    '',
  ].join('\r');
}
