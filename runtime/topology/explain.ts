/** The plan in words, for `mach explain`. */
import { counted } from '../counted.ts';
import { formatDuration } from '../stream/options.ts';
import { describeType, type Schema } from '../stream/schema.ts';
import { describeField, type TopologyPlan } from './plan.ts';

export function explainPlan(plan: TopologyPlan): string {
  const isSpread = plan.stages.some(({ partitions }) => partitions > 1);
  const lines = [`${plan.topology}  ${plan.file}  ${plan.hash.slice(0, 12)}`, ''];
  for (const stage of plan.stages) {
    const count = counted(stage.partitions, 'partition');
    lines.push(`stage ${stage.name}, ${count}: ${stage.operators.join(', ') || 'no operators'}`);
    lines.push(`  reads   ${stage.inputStream}`, ...stage.inputSubjects.map((subject) => `          ${subject}`));
    lines.push(`  writes  ${stage.outputStream}`, ...stage.outputSubjects.map((subject) => `          ${subject}`));
  }
  for (const { from, fromStage, toStage, route } of plan.exchanges)
    lines.push(`exchange ${from}, ${fromStage} to ${toStage}, ${route}`);
  lines.push(`checkpoints   ${plan.checkpointBucket}`, `dead letters  ${plan.deadLetterStream}`, '', 'sources');
  for (const { id, definition, durability, idleMs, disorderMs, eventTime, ports } of plan.sources) {
    const order = disorderMs > 0 ? `, up to ${formatDuration(disorderMs)} out of order` : '';
    const time = eventTime === 'arrival' ? ', by the time of arrival' : '';
    lines.push(`  ${id}: ${definition}, durable by ${durability}, idle after ${formatDuration(idleMs)}${order}${time}`);
    lines.push(...explainPorts(ports));
  }
  lines.push('', 'operators');
  for (const operator of plan.operators) {
    lines.push(`  ${operator.id}: ${operator.definition} of ${describeInputs(operator.inputs)}`);
    if (operator.key.length > 0) lines.push(`    key ${operator.key.join(', ')}`);
    if (isSpread) lines.push(`    work ${operator.share}`);
    if (operator.stateful) lines.push(`    state ${describeState(operator.stateBytesPerKey)}`);
    lines.push(...explainPorts(operator.ports));
  }
  lines.push('', 'sinks');
  for (const { id, definition, inputs, tables } of plan.sinks) {
    lines.push(`  ${id}: ${definition} of ${describeInputs(inputs)}`);
    for (const table of tables) {
      const keep = table.keepMs === undefined ? '' : `, kept for ${formatDuration(table.keepMs)}`;
      lines.push(`    table ${table.name}, ${table.rows} rows, sorted by ${table.orderBy.join(', ')}${keep}`);
      lines.push(...explainFields(table.schema));
    }
  }
  return lines.join('\n');
}

function describeInputs(inputs: Readonly<Record<string, string>>): string {
  const entries = Object.entries(inputs);
  const [first] = entries;
  if (entries.length === 1 && first?.[0] === 'from') return first[1];
  return entries.map(([input, from]) => (input.startsWith('from') ? from : `${input} ${from}`)).join(', ');
}

function describeState(bytes: Readonly<Record<string, number>>): string {
  const parts = Object.entries(bytes).map(([name, size]) => `${name} about ${size} bytes per key`);
  return parts.join(', ') || 'of unknown size';
}

function explainPorts(ports: Readonly<Record<string, Schema>>): string[] {
  return Object.entries(ports).flatMap(([port, schema]) => [
    `    ${port}${port === 'out' ? '' : ' (port)'}: ${counted(Object.keys(schema.fields).length, 'field')}`,
    ...(port === 'late' || port === 'dead' ? [] : explainFields(schema)),
  ]);
}

function explainFields({ fields }: Schema): string[] {
  const width = Math.max(0, ...Object.keys(fields).map((name) => name.length));
  return Object.entries(fields).map(
    ([name, field]) => `      ${name.padEnd(width)}  ${describeField(field, describeType)}`,
  );
}
