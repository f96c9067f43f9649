/** The form of a file of tests, as written. What names and values mean is checked in `bind.ts`. */
import { z } from 'zod';
import type { RawValue } from '../../topology/ir/options-node.ts';
import { topologyTestLimits } from './limits.ts';

const raw = z.custom<RawValue>(() => true);
const rawEvent = z.record(z.string(), raw);
/** A number has no unit, which is told where durations are read. */
const rawDuration = z.union([z.string(), z.number()]);

const send = z.strictObject({
  source: z.string(),
  event: rawEvent.optional(),
  events: z.array(rawEvent).min(1).optional(),
  text: z.string().optional(),
  file: z.string().optional(),
  repeat: z.int().min(1).max(topologyTestLimits.repeatMax).optional(),
  every: rawDuration.optional(),
  origin: z.string().min(1).optional(),
  at: z.string().optional(),
});

const rows = z.union([z.int().min(0), z.array(rawEvent)]);

const expectation = z.strictObject({
  sink: z.string().optional(),
  output: z.string().optional(),
  dead_letters: rows.optional(),
  rows: rows.optional(),
  contains: z.array(rawEvent).min(1).optional(),
  where: rawEvent.optional(),
  latest: z.union([z.boolean(), z.array(z.string()).min(1)]).optional(),
  snapshot: z
    .string()
    .regex(/^[\w .-]{1,100}$/, 'a name of letters, digits, blanks, _, . and -')
    .optional(),
  metrics: z.record(z.string(), z.number()).optional(),
  accounting: z
    .strictObject({
      in: z.int().optional(),
      delivered: z.int().optional(),
      filtered: z.int().optional(),
      late: z.int().optional(),
      dropped: z.int().optional(),
      dead_lettered: z.int().optional(),
      dropped_by_reason: z.record(z.string(), z.int()).optional(),
      redriven: z.int().optional(),
    })
    .optional(),
  watermark: z.strictObject({ node: z.string(), time: z.string().nullable() }).optional(),
  counts: z
    .strictObject({
      node: z.string(),
      in: z.int().optional(),
      out: z.int().optional(),
      filtered: z.int().optional(),
      late: z.int().optional(),
      dropped: z.int().optional(),
      dead: z.int().optional(),
    })
    .optional(),
});

const fault = z.strictObject({
  crash: z.string().optional(),
  crash_after: z.int().min(1).max(topologyTestLimits.crashAfterMax).optional(),
  drop_acks: z.int().min(1).max(topologyTestLimits.dropAcknowledgementsMax).optional(),
  /** The long form of `drop_acks`. */
  drop_acknowledgements: z.int().min(1).max(topologyTestLimits.dropAcknowledgementsMax).optional(),
  store: z.string().optional(),
});

const mock = z.strictObject({
  when: rawEvent.optional(),
  answer: raw.optional(),
  error: z.string().min(1).optional(),
  after: z.string().optional(),
});

/** Look-up node to what it is answered, the first that fits. */
const mocks = z.record(z.string(), z.union([mock, z.array(mock).min(1).max(topologyTestLimits.mocksMax)])).optional();

const partitions = z.int().min(1).max(topologyTestLimits.partitionsMax).optional();

const step = z.strictObject({
  send: send.optional(),
  advance: rawDuration.optional(),
  crash: z.literal(true).optional(),
  fault: fault.optional(),
  expect: expectation.optional(),
});

const test = z.strictObject({
  name: z.string().min(1),
  start: z.string().optional(),
  mocks,
  partitions,
  /** Undefined: one that has another form, of which no more is said. */
  steps: z.array(step.optional()).min(1).max(topologyTestLimits.stepsMax),
});

export const testFileForm = z.strictObject({
  topology: z.string().min(1),
  /** Source to the field whose value is the origin of an event. */
  origins: z.record(z.string(), z.string()).optional(),
  mocks,
  /** Every test runs once more at so many partitions. */
  partitions,
  tests: z.array(test.optional()).min(1).max(topologyTestLimits.testsMax),
});

export type RawTestFile = z.output<typeof testFileForm>;
export type RawStep = z.output<typeof step>;
export type RawSend = z.output<typeof send>;
export type RawExpectation = z.output<typeof expectation>;
export type RawMock = z.output<typeof mock>;
export type RawMocks = z.output<typeof mocks>;
export type RawFault = z.output<typeof fault>;
export type RawEvent = z.output<typeof rawEvent>;
