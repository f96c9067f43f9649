/** What changes between two versions of a topology, for people. */
import type { Upgrade } from '../execution/upgrade/live-engine.ts';
import type { NodeChange, SourceChange, UpgradePlan } from '../execution/upgrade/plan-upgrade.ts';

const words: Readonly<Record<string, string>> = {
  unchanged: 'unchanged',
  kept: 'changed, state kept',
  migrated: 'changed, state migrated',
  lost: 'STATE LOST',
  new: 'new',
  removed: 'removed',
  created: 'created',
  altered: 'changed in place',
  refused: 'REFUSED',
  left: 'no longer written',
};

export function describePlan(plan: UpgradePlan): string {
  const lines = [`${plan.topology}: ${plan.before.slice(0, 8)} to ${plan.after.slice(0, 8)}`];
  section(lines, 'sources', plan.sources.map(sourceLines));
  section(
    lines,
    'operators',
    plan.operators.map((one) => nodeLines(one, plan)),
  );
  section(
    lines,
    'sinks',
    plan.sinks.map((one) => nodeLines(one, plan)),
  );
  section(
    lines,
    'tables',
    plan.tables.map(({ table, verdict, changes, remedy }) => [
      heading(table, words[verdict] ?? verdict),
      ...changes,
      ...(remedy === undefined ? [] : [remedy]),
    ]),
  );
  lines.push('', verdictOf(plan));
  return lines.join('\n');
}

function section(lines: string[], title: string, items: readonly (readonly string[])[]): void {
  if (items.length === 0) return;
  lines.push('', title);
  for (const [first, ...rest] of items) lines.push(`  ${first}`, ...rest.map((line) => `      ${line}`));
}

function heading(name: string, said: string): string {
  return `${name.padEnd(20)} ${said}`;
}

function sourceLines(change: SourceChange): string[] {
  const { node, verdict, staysOpen, readable, changes } = change;
  const word = verdict === 'kept' ? 'changed' : (words[verdict] ?? verdict);
  const open =
    verdict === 'new' || verdict === 'removed' ? '' : staysOpen ? ', stays open' : ', closed and opened again';
  const unreadable = 'what the log holds of it cannot be read by the new version: the old one handles it first';
  return [heading(node, `${word}${open}`), ...changes, ...(readable ? [] : [unreadable])];
}

function nodeLines({ node, kind, verdict, changes }: NodeChange, plan: UpgradePlan): string[] {
  const accepted = verdict === 'lost' && !plan.lost.includes(node) ? 'state lost, as accepted' : undefined;
  const word = kind === 'sink' && verdict === 'kept' ? 'changed' : (words[verdict] ?? verdict);
  return [heading(node, accepted ?? word), ...changes];
}

function verdictOf({ same, refusals, lost, operators }: UpgradePlan): string {
  if (refusals.length > 0) {
    const accept = lost.length > 0 ? `\nTo go on without their state: --accept-loss ${lost.join(',')}` : '';
    return `It would be refused:\n${refusals.map((reason) => `  ${reason}`).join('\n')}${accept}`;
  }
  if (same) return 'Nothing changes.';
  const given = operators.filter(({ verdict }) => verdict === 'lost').map(({ node }) => node);
  const loss =
    given.length === 0 ? 'Nothing is lost.' : `Lost is what --accept-loss names: the state of ${given.join(', ')}.`;
  return `It can be applied: \`mach run FILE\` where the topology runs. ${loss}`;
}

/** After the change: what was lost was accepted, sources and sinks have no state. */
function wordOf({ kind, verdict }: Pick<NodeChange, 'kind' | 'verdict'>): string {
  if (verdict === 'lost') return 'state lost, as accepted';
  return kind !== 'operator' && verdict === 'kept' ? 'changed' : (words[verdict] ?? verdict);
}

export function describeUpgrade({ applied, plan, keptOpen, pauseMs }: Upgrade, processId: number): string {
  if (!applied) return `${plan.topology} runs already (process ${processId}), with this version: nothing was done.`;
  const open = keptOpen.length > 0 ? `; ${keptOpen.join(', ')} stayed open` : '';
  const head = `${plan.topology} (process ${processId}) runs this version now; results paused for ${Math.round(pauseMs)} ms${open}.`;
  const changed = [...plan.sources, ...plan.operators, ...plan.sinks].filter(({ verdict }) => verdict !== 'unchanged');
  const tables = plan.tables.filter(({ verdict }) => verdict !== 'unchanged');
  return [
    head,
    ...changed.map(({ node, kind, verdict }) => `  ${heading(node, wordOf({ kind, verdict }))}`),
    ...tables.map(({ table, verdict }) => `  ${heading(table, words[verdict] ?? verdict)}`),
  ].join('\n');
}
