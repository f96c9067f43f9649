/** Source `nexmark`: the seeded stream of the Nexmark benchmark, as fast as the log takes it or by the clock, and then at its end. */
import { z } from 'zod';
import {
  type BoundSource,
  defineSource,
  messageOf,
  type RunningSource,
  type Schema,
  type SourceContext,
} from '../../runtime/stream/index.ts';
import { disorderStep, openGenerator } from './generator.ts';
import { openPace, paceOption } from './pace.ts';
import { type NexmarkField, nexmarkFields, nexmarkSchema } from './schema.ts';

/** Events that wait for the log at a time, so that the next ones are made meanwhile. */
const waitingEventsMax = 8_192;
const retryDelayMs = 1_000;
const origin = 'nexmark';

const options = z.strictObject({
  events: z.int().min(0).max(1e12).describe('length of the stream; it ends there'),
  seed: z.int().min(0).max(0xffffffff).default(42),
  rate: z.number().positive().max(1e9).default(10_000).describe('events a second of event time'),
  disorder: z
    .int()
    .min(1)
    .max(1_000_000)
    .refine((events) => events % disorderStep !== 0, `no multiple of ${disorderStep}`)
    .default(1)
    .describe('events within which the order is mixed; 1: in order'),
  share: z
    .string()
    .regex(/^[1-9]\d{0,3}\/[1-9]\d{0,3}$/, 'a part of the parts, such as 1/2')
    .refine((text) => partOf(text).part <= partOf(text).of, 'there is no such part')
    .default('1/1')
    .describe(
      'of so many parts one, such as 1/2: stretches of the stream go to the parts in turn, so that several engines run it together',
    ),
  pace: paceOption,
});

function partOf(share: string): { readonly part: number; readonly of: number } {
  const [part, of] = share.split('/').map(Number) as [number, number];
  return { part, of };
}

type NexmarkOptions = z.output<typeof options>;

/** Waits until other work of the process has had its turn. */
const breathe = () => new Promise<void>((resolve) => setImmediate(resolve));

async function generate(context: SourceContext, given: NexmarkOptions, fields: readonly NexmarkField[]): Promise<void> {
  const { signal } = context;
  const generator = openGenerator(given, fields);
  let accepted = Number(context.mark(origin) ?? 0);
  const { batchEvents, due } = openPace(given, { clock: context.machineClock, from: accepted });
  const appendsMax = Math.floor(waitingEventsMax / batchEvents);
  const { part, of } = partOf(given.share);
  const isOwn = (from: number) => Math.floor(from / batchEvents) % of === part - 1;
  while (accepted < given.events && !signal.aborted) {
    const under = new Set<Promise<void>>();
    let failure: unknown;
    for (let from = accepted; from < given.events && failure === undefined && !signal.aborted; ) {
      const to = Math.min((Math.floor(from / batchEvents) + 1) * batchEvents, given.events);
      if (!isOwn(from)) {
        from = to;
        continue;
      }
      await due(to - 1, signal);
      if (failure !== undefined || signal.aborted) break;
      const columns = generator.stretch(from, to - from);
      const request = { origin, events: [], columns, mark: String(to), id: String(from) };
      const appended: Promise<void> = context.append(request).then(
        () => {
          under.delete(appended);
          accepted = to;
        },
        (error) => {
          under.delete(appended);
          failure ??= error;
        },
      );
      under.add(appended);
      from = to;
      if (under.size >= appendsMax) await Promise.race(under);
      await breathe();
    }
    await Promise.all(under);
    if (signal.aborted) break;
    if (failure === undefined) {
      // Of the other parts more may come.
      accepted = given.events;
      continue;
    }
    context.logger.warn({ node: context.node, error: messageOf(failure) }, 'the log takes no events; tried again');
    await context.machineClock.sleep(retryDelayMs, signal).catch(() => undefined);
  }
  while (!signal.aborted) {
    try {
      return await context.ended();
    } catch (error) {
      context.logger.warn(
        { node: context.node, error: messageOf(error) },
        'the log does not take the end; tried again',
      );
      await context.machineClock.sleep(retryDelayMs, signal).catch(() => undefined);
    }
  }
}

function open(context: SourceContext, given: NexmarkOptions, fields: readonly NexmarkField[]): RunningSource {
  const done = generate(context, given, fields);
  return { address: `${given.events} events, seed ${given.seed}`, close: () => done };
}

function bound(given: NexmarkOptions, fields: readonly NexmarkField[]): BoundSource {
  const schema: Schema = {
    fields: Object.fromEntries(fields.map((name) => [name, nexmarkSchema.fields[name]])),
  };
  return {
    ports: { out: schema },
    narrow: (read) =>
      bound(
        given,
        fields.filter((name) => read.has(name)),
      ),
    open: async (context) => open(context, given, fields),
  };
}

export const nexmark = defineSource({
  name: 'nexmark',
  status: 'experimental',
  summary:
    'Gives the seeded stream of the Nexmark benchmark (persons, auctions, bids), as fast as the log takes it or by the clock.',
  options,
  durability: 'broker',
  examples: [
    { title: 'a million events', options: { events: 1_000_000, seed: 7 } },
    {
      title: 'ten minutes of 1,000 events a second, as they would come',
      options: { events: 600_000, rate: 1_000, pace: 'clock' },
    },
  ],
  bind: ({ options: given }) => bound(given, nexmarkFields),
});
