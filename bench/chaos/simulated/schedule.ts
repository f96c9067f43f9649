/** A schedule: what goes wrong, and when. Drawn from a seed; a prefix of it is a schedule too, and runs the same up to its end. */
import type { Random } from '../../../runtime/random.ts';
import { formatDuration } from '../../../runtime/stream/options.ts';
import type { LogFault } from './active-faults.ts';
import type { SurgeKind } from './senders.ts';
import type { StoreFault } from './simulated-store.ts';

export const crashPointNames = [
  'source.before-append',
  'source.after-append',
  'stage.before-handle',
  'stage.after-handle',
  'output.before-append',
  'output.after-append',
  'exchange.before-append',
  'exchange.after-append',
  'checkpoint.before-put',
  'checkpoint.after-put',
  'sink.before-promise',
  'sink.after-promise',
  'sink.before-write',
  'sink.after-write',
  'sink.after-bury',
] as const;

export type Action = { readonly atMs: number } & (
  | { readonly kind: 'crash'; readonly point: string; readonly visit: number }
  | { readonly kind: 'kill' }
  | { readonly kind: 'restart' }
  | { readonly kind: 'pause'; readonly forMs: number }
  | { readonly kind: 'pause-at-point'; readonly point: string; readonly visit: number; readonly forMs: number }
  | { readonly kind: 'second-owner' }
  | { readonly kind: LogFault; readonly rate: number; readonly forMs: number; readonly delayMaxMs: number }
  | { readonly kind: 'log-away'; readonly forMs: number }
  | { readonly kind: StoreFault; readonly rate: number; readonly forMs: number }
  | { readonly kind: 'checkpoint-damaged'; readonly how: 'truncated' | 'flipped'; readonly which: 'newest' | 'all' }
  | { readonly kind: 'clock-jump'; readonly byMs: number }
  | { readonly kind: 'answer-lost'; readonly rate: number; readonly forMs: number }
  | { readonly kind: SurgeKind; readonly events: number }
);

export type ActionKind = Action['kind'];

/** Every process that owns a partition must renew its lease within this time, or another one takes the partition. */
export const leaseMs = 10_000;

type Draw = (random: Random) => Record<string, unknown>;

const spell =
  (least: number, most: number): Draw =>
  (random) => ({ forMs: random.int(least, most) * 1_000 });
const rated =
  (most: number): Draw =>
  (random) => ({
    rate: Math.round((0.1 + random.float() * (most - 0.1)) * 100) / 100,
    forMs: random.int(5, 40) * 1_000,
    delayMaxMs: random.pick([50, 2_000, 8_000, 40_000]),
  });
const atPoint: Draw = (random) => ({ point: random.pick(crashPointNames), visit: random.int(1, 5) });
const surge: Draw = (random) => ({ events: random.int(1, 6) });

/** How often each kind is drawn, and with what. */
const kinds: readonly { readonly kind: ActionKind; readonly weight: number; readonly draw: Draw }[] = [
  { kind: 'crash', weight: 6, draw: atPoint },
  { kind: 'kill', weight: 2, draw: () => ({}) },
  { kind: 'restart', weight: 1, draw: () => ({}) },
  { kind: 'pause', weight: 2, draw: spell(leaseMs / 1_000 - 5, 90) },
  {
    kind: 'pause-at-point',
    weight: 4,
    draw: (random) => ({ ...atPoint(random), ...spell(leaseMs / 1_000 + 1, 600)(random) }),
  },
  { kind: 'second-owner', weight: 3, draw: () => ({}) },
  { kind: 'acknowledgement-lost', weight: 2, draw: rated(0.5) },
  { kind: 'acknowledgement-late', weight: 2, draw: rated(0.6) },
  { kind: 'acknowledgement-twice', weight: 1, draw: rated(0.6) },
  { kind: 'append-lost', weight: 2, draw: rated(0.5) },
  { kind: 'no-responders', weight: 1, draw: rated(0.4) },
  { kind: 'delivery-late', weight: 1, draw: rated(0.3) },
  { kind: 'full', weight: 2, draw: (random) => ({ ...spell(1, 30)(random), rate: 1, delayMaxMs: 0 }) },
  { kind: 'log-away', weight: 1, draw: spell(5, 60) },
  { kind: 'store-refuses', weight: 1, draw: rated(0.8) },
  { kind: 'store-times-out', weight: 3, draw: rated(0.8) },
  {
    kind: 'store-down',
    weight: 2,
    draw: (random) => ({ rate: 1, forMs: random.chance(0.25) ? 3_600_000 : random.int(5, 120) * 1_000 }),
  },
  {
    kind: 'checkpoint-damaged',
    weight: 2,
    draw: (random) => ({ how: random.pick(['truncated', 'flipped']), which: random.pick(['newest', 'newest', 'all']) }),
  },
  {
    kind: 'clock-jump',
    weight: 2,
    draw: (random) => ({ byMs: random.pick([-5_400_000, -600_000, -20_000, 20_000, 600_000, 5_400_000]) }),
  },
  { kind: 'answer-lost', weight: 2, draw: rated(0.6) },
  { kind: 'late-events', weight: 2, draw: surge },
  { kind: 'duplicate-events', weight: 1, draw: surge },
  { kind: 'poison-events', weight: 2, draw: surge },
];

export const actionKinds: readonly ActionKind[] = kinds.map(({ kind }) => kind);

const actionsMax = 9;
/** Faults begin within this time, while senders send. */
export const faultsForMs = 80_000;

export function drawSchedule(random: Random): readonly Action[] {
  const count = random.int(1, actionsMax);
  const weights = kinds.map(({ weight }) => weight);
  const actions = Array.from({ length: count }, () => {
    const { kind, draw } = kinds[random.weighted(weights)] as (typeof kinds)[number];
    return { atMs: random.int(1_000, faultsForMs), kind, ...draw(random) } as Action;
  });
  return actions.sort((a, b) => a.atMs - b.atMs);
}

const show = (name: string, value: unknown) =>
  name.endsWith('Ms') ? `${name.slice(0, -2)} ${formatSigned(value as number)}` : `${name} ${value}`;

function formatSigned(durationMs: number): string {
  return durationMs < 0 ? `-${formatDuration(-durationMs)}` : formatDuration(durationMs);
}

/** One line: `12s  pause-at-point  point sink.after-promise, visit 2, for 30s`. */
export function describeAction({ atMs, kind, ...rest }: Action): string {
  const details = Object.entries(rest).map(([name, value]) => show(name, value));
  return `${formatDuration(atMs).padStart(10)}  ${kind.padEnd(22)}${details.join(', ')}`.trimEnd();
}
