/** The sources of a changed topology against what the log has of them: by id, and by the names and types of their fields. */
import type { Event, Field, Schema } from '../../stream/schema.ts';
import { fieldNames, isAssignable } from '../../stream/schema.ts';
import type { BoundSourceNode, BoundTopology } from '../../topology/bound.ts';
import type { InputFrame } from '../log-frame.ts';
import { replayErrors } from './errors.ts';
import type { PastMessage } from './past.ts';

export interface SourceMatch {
  /** What is not as it was, one sentence each, for people. */
  readonly notes: readonly string[];
  /** Sources that the log has nothing of: nobody must wait for them. */
  readonly unheard: readonly string[];
  /** The frame as the new topology takes it; undefined when none of its nodes does. */
  adapt(message: PastMessage): InputFrame | undefined;
}

type MapEvents = (events: readonly Event[]) => readonly Event[];

/** Rejects nothing but with MACH3232. `redecoded`: sources whose events are decoded anew, so that their old shape does not matter. */
export function matchSources(args: {
  before: BoundTopology;
  topology: BoundTopology;
  redecoded?: ReadonlySet<string>;
}): SourceMatch {
  const { before, topology, redecoded = new Set() } = args;
  const notes: string[] = [];
  const unheard: string[] = [];
  const maps = new Map<string, MapEvents | undefined>();
  for (const source of topology.sources) {
    const old = before.sources.find(({ id }) => id === source.id);
    if (!old) {
      unheard.push(source.id);
      notes.push(`source ${source.id} is new: the log has nothing of it, and nobody waits for it`);
      continue;
    }
    if (old.definition.name !== source.definition.name) {
      notes.push(
        `source ${source.id} was ${old.definition.name} and is ${source.definition.name}: its events are used`,
      );
    }
    maps.set(source.id, redecoded.has(source.id) ? undefined : mapOf(old, source, notes));
  }
  for (const { id } of before.sources) {
    if (!maps.has(id)) notes.push(`source ${id} is gone: what the log has of it is passed over`);
  }
  const lookups = new Set(topology.operators.filter(({ bound }) => bound.lookup).map(({ id }) => id));
  return {
    notes,
    unheard,
    adapt({ node, frame }) {
      // A letter that goes in again finds its own place, or becomes a letter again.
      if (frame.kind === 'redrive') return frame;
      if (frame.kind === 'answers') return lookups.has(node) ? frame : undefined;
      if (!maps.has(node)) return undefined;
      const map = frame.kind === 'source' ? maps.get(node) : undefined;
      return map && frame.kind === 'source' ? { ...frame, events: map(frame.events) } : frame;
    },
  };
}

const schemaOf = (source: BoundSourceNode): Schema => source.bound.ports.out ?? { fields: {} };

function mapOf(old: BoundSourceNode, source: BoundSourceNode, notes: string[]): MapEvents | undefined {
  const [from, to] = [schemaOf(old), schemaOf(source)];
  for (const [field, wanted] of Object.entries(to.fields)) {
    const problem = problemOf(from.fields[field], wanted);
    if (problem) throw replayErrors.make('MACH3232', { source: source.id, field, problem });
  }
  const names = fieldNames(to);
  const added = names.filter((name) => !from.fields[name]);
  const removed = fieldNames(from).filter((name) => !to.fields[name]);
  if (added.length > 0) notes.push(`source ${source.id}: ${added.join(', ')} came later and is absent from old events`);
  if (removed.length > 0) notes.push(`source ${source.id}: ${removed.join(', ')} of old events is left out`);
  if (names.join() === fieldNames(from).join()) return undefined;
  return (events) => events.map((event) => Object.fromEntries(names.map((name) => [name, event[name] ?? null])));
}

function problemOf(given: Field | undefined, wanted: Field): string | undefined {
  if (!given) return wanted.nullable ? undefined : 'old events do not have it, and it must be there';
  if (!isAssignable(given.type, wanted.type))
    return `old events have a ${given.type.kind}, it is a ${wanted.type.kind}`;
  return given.nullable && !wanted.nullable ? 'it may be absent from old events, and must be there' : undefined;
}
