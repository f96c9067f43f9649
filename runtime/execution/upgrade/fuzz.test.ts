/**
 * Edits by chance: what the plan says of each node is what a start with the new version does. The seed of a run that fails stands in what
 * it says; `MACH_SEED=123` runs that one alone.
 */
import { describe, expect, it } from 'vitest';
import { type Random, seededRandom } from '../../random.ts';
import { type Lab, type LabProcess, openLab } from '../../testing/engine-lab.ts';
import { manifestOf } from './manifest.ts';
import { planUpgrade, type UpgradePlan } from './plan-upgrade.ts';

interface Draft {
  readonly sources: Map<string, { disorder: number }>;
  /** Each with its definition, what it reads, and an option; in an order in which what is read stands before. */
  readonly operators: Map<string, { definition: 'keep' | 'numbered' | 'totals'; from: string; option: number }>;
}

const optionNames = { keep: 'min', numbered: 'first', totals: 'every' } as const;
const begin = 1_699_990_000_000;

function textOf({ sources, operators }: Draft): string {
  const lines = ['version: 1', 'name: fuzz', 'sources:'];
  for (const [id, { disorder }] of sources) lines.push(`  ${id}: { pulses: {}, idle: 30d, disorder: ${disorder}s }`);
  lines.push('operators:');
  for (const [id, { definition, from, option }] of operators) {
    const value = definition === 'totals' ? `${10 * (option + 1)}s` : String(option);
    lines.push(`  ${id}: { ${definition}: { from: ${from}, ${optionNames[definition]}: ${value} } }`);
  }
  lines.push('sinks:');
  for (const id of operators.keys()) lines.push(`  ${id}_rows: { collect: { from: ${id}, table: ${id}_rows } }`);
  return lines.join('\n');
}

function draftOf(random: Random): Draft {
  const draft: Draft = { sources: new Map([['beds', { disorder: 0 }]]), operators: new Map() };
  addOperator(draft, random, 'n0', 'numbered');
  for (let count = random.int(1, 4); count > 0; count--) edit(draft, random, 'add');
  return draft;
}

function copyOf({ sources, operators }: Draft): Draft {
  return structuredClone({ sources, operators });
}

/** What can be read by an operator that needs pulses. */
function readable({ sources, operators }: Draft): string[] {
  const passing = [...operators].filter(([, { definition }]) => definition === 'keep').map(([id]) => id);
  return [...sources.keys(), ...passing];
}

function addOperator(draft: Draft, random: Random, id: string, definition: 'keep' | 'numbered' | 'totals'): void {
  draft.operators.set(id, { definition, from: random.pick(readable(draft)), option: random.int(0, 2) });
}

function freeId({ operators }: Draft, random: Random): string {
  const ids = Array.from({ length: 12 }, (_, number) => `n${number}`);
  return random.pick(ids.filter((id) => !operators.has(id)));
}

type Edit = 'add' | 'remove' | 'option' | 'input' | 'definition' | 'add-source' | 'remove-source' | 'disorder';
const edits: readonly Edit[] = [
  'add',
  'remove',
  'option',
  'option',
  'input',
  'definition',
  'add-source',
  'remove-source',
  'disorder',
];

function edit(draft: Draft, random: Random, kind: Edit): void {
  const { sources, operators } = draft;
  const ids = [...operators.keys()];
  const read = new Set([...operators.values()].map(({ from }) => from));
  switch (kind) {
    case 'add':
      // One that was taken out may come again, as another one.
      return addOperator(draft, random, freeId(draft, random), random.pick(['keep', 'numbered', 'totals']));
    case 'remove': {
      const free = ids.filter((id) => !read.has(id));
      if (free.length > 1) operators.delete(random.pick(free));
      return;
    }
    case 'option': {
      const node = operators.get(random.pick(ids));
      if (node) node.option = random.int(0, 2);
      return;
    }
    case 'input': {
      // An operator may read what stands before it alone.
      const id = random.pick(ids);
      const node = operators.get(id);
      if (node) node.from = random.pick([...sources.keys()]);
      return;
    }
    case 'definition': {
      const id = random.pick(ids.filter((one) => !read.has(one)));
      const node = operators.get(id);
      if (node) node.definition = random.pick(['keep', 'numbered', 'totals']);
      return;
    }
    case 'add-source':
      return void sources.set(`s${random.int(1, 3)}`, { disorder: 0 });
    case 'remove-source': {
      const free = [...sources.keys()].filter((id) => id !== 'beds' && !read.has(id));
      if (free.length > 0) sources.delete(random.pick(free));
      return;
    }
    case 'disorder':
      return void sources.set('beds', { disorder: random.int(0, 3) });
  }
}

async function send(lab: Lab, process: LabProcess, draft: Draft, from: number, to: number) {
  for (let index = from; index < to; index++) {
    for (const source of draft.sources.keys()) {
      const event = { id: `${source}${index}`, hospital: 'H1', value: index % 5, patient: null };
      const append = process.source(source).append({ origin: 'H1', events: [{ event, time: begin + index * 1_000 }] });
      await lab.drive(append);
    }
  }
}

function planOf(lab: Lab, before: string, after: string): UpgradePlan {
  const [old, next] = [lab.bind(before), lab.bind(after)];
  const definitions = new Map(next.operators.map((node) => [node.id, node.definition]));
  return planUpgrade(manifestOf(old), manifestOf(next), { definitions });
}

/** Numbers that the node has given since there were `before` rows of it. */
const numbersOf = (lab: Lab, node: string, before: number) =>
  lab
    .events(`${node}_rows`)
    .slice(before)
    .map(({ number }) => Number(number));

async function checkState(lab: Lab, plan: UpgradePlan, before: Draft, after: Draft, counts: Map<string, number>) {
  const verdictOf = new Map(plan.operators.map(({ node, verdict }) => [node, verdict]));
  for (const [id, node] of after.operators) {
    const known = counts.get(id) ?? 0;
    const numbers = numbersOf(lab, id, known);
    if (node.definition !== 'numbered' || numbers.length === 0) continue;
    const verdict = verdictOf.get(id);
    const goesOn = verdict === 'unchanged' || verdict === 'kept';
    const first = before.operators.get(id)?.definition === 'numbered' && goesOn ? known + node.option : node.option;
    expect(`${id} ${verdict} ${numbers[0]}`).toBe(`${id} ${verdict} ${first}`);
  }
}

async function runSeed(seed: number): Promise<{ refused: boolean; changed: boolean }> {
  const random = seededRandom(seed);
  const before = draftOf(random);
  const after = copyOf(before);
  for (let count = random.int(1, 3); count > 0; count--) edit(after, random, random.pick(edits));
  const [old, next] = [textOf(before), textOf(after)];
  if (process.env.MACH_SEED) console.info(old, '\n-----\n', next);
  const lab = openLab({ topology: old });
  const first = await lab.start();
  await send(lab, first, before, 0, 12);
  await lab.settle(first);
  const counts = new Map([...before.operators.keys()].map((id) => [id, lab.events(`${id}_rows`).length]));
  const plan = planOf(lab, old, next);
  const isLive = random.chance(0.5);
  const acceptLoss = [...plan.lost];
  const refusal = isLive ? 'MACH3223' : 'MACH3205';
  let running = first;
  if (!isLive) {
    await lab.drive(first.engine?.drain() ?? Promise.resolve());
    first.kill();
  }
  const change = async (accepted: readonly string[]) => {
    if (isLive) await first.upgrade(next, { acceptLoss: accepted });
    else running = await lab.start({ topology: next, acceptLoss: accepted });
  };
  if (plan.lost.length > 0) await expect(change([])).rejects.toMatchObject({ code: refusal });
  await change(acceptLoss);
  await send(lab, running, after, 12, 24);
  await lab.settle(running);
  await checkState(lab, plan, before, after, counts);
  expect(running.logged.filter(({ level }) => level === 'error')).toEqual([]);
  return { refused: plan.lost.length > 0, changed: !plan.same };
}

describe('edits by chance', () => {
  const only = process.env.MACH_SEED;
  const seeds = only === undefined ? Array.from({ length: 40 }, (_, seed) => seed) : [Number(only)];
  it('do what the plan said', async () => {
    let [refused, changed] = [0, 0];
    for (const seed of seeds) {
      const run = await runSeed(seed).catch((error: Error) => {
        throw new Error(`seed ${seed}: ${error.message}`, { cause: error });
      });
      if (run.refused) refused++;
      if (run.changed) changed++;
    }
    if (only !== undefined) return;
    // Edits that lose nothing, or that all do, would prove nothing.
    expect(changed).toBeGreaterThan(25);
    expect(refused).toBeGreaterThan(5);
    expect(refused).toBeLessThan(35);
  });
});
