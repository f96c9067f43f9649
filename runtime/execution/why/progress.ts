/** Which message brought each origin of each source to where its time stands. */
import type { PastMessage } from '../replay/past.ts';
import type { StageSnapshot } from '../stage-machine.ts';
import type { Moment } from './lineage.ts';

interface OriginProgress {
  newest: number;
  idle: boolean;
  /** All that brought it on, and the words that it was silent, in order. */
  readonly moves: Moment[];
  /** Of these, those that its time stands on now: its newest event, and the word that it was silent since. */
  last: readonly Moment[];
}

export class ProgressNotes {
  private readonly sources = new Map<string, Map<string, OriginProgress>>();

  constructor(snapshot: StageSnapshot | undefined) {
    for (const [id, { origins }] of snapshot?.sources ?? []) {
      const known = origins.origins.map(([origin, { newest, idle }]): [string, OriginProgress] => {
        return [origin, { newest, idle, moves: [], last: [] }];
      });
      this.sources.set(id, new Map(known));
    }
  }

  copy(): ProgressNotes {
    const copy = new ProgressNotes(undefined);
    for (const [id, origins] of this.sources) {
      copy.sources.set(
        id,
        new Map([...origins].map(([origin, progress]) => [origin, { ...progress, moves: [...progress.moves] }])),
      );
    }
    return copy;
  }

  /** `until`: index of the last event that counts. */
  note({ node, sequence, frame }: PastMessage, until = Number.POSITIVE_INFINITY): void {
    const origins = this.sources.get(node) ?? new Map<string, OriginProgress>();
    this.sources.set(node, origins);
    if (frame.kind === 'source') {
      let at = 0;
      for (const segment of frame.segments) {
        for (const last = at + segment.events; at < last && at <= until; at++) {
          heard(origins, segment.origin, frame.times[at] as number, { node, sequence, at });
        }
        if (at > until) return;
      }
    } else if (frame.kind === 'silence') {
      for (const { origin } of frame.idle) {
        const known = origins.get(origin);
        if (!known) continue;
        known.idle = true;
        const silence = { node, sequence, at: -1 };
        known.moves.push(silence);
        known.last = [...known.last.filter(({ at }) => at >= 0), silence];
      }
      for (const origin of frame.closed) origins.delete(origin);
      if (frame.ended) {
        const over = { node, sequence, at: -1 };
        for (const known of origins.values()) {
          known.moves.push(over);
          known.last = [over];
        }
      }
    }
  }

  /**
   * The messages, from a sequence on, without which the time of these sources would not stand where it does. `steps`: and every one on the
   * way there, so that time comes there in the same steps.
   */
  movers(sources: ReadonlySet<string>, { from, steps }: { from: number; steps: boolean }): Moment[] {
    const movers: Moment[] = [];
    for (const [id, origins] of this.sources) {
      if (!sources.has(id)) continue;
      for (const { moves, last } of origins.values()) {
        for (const moment of steps ? moves : last) if (moment.sequence >= from) movers.push(moment);
      }
    }
    return movers;
  }
}

function heard(origins: Map<string, OriginProgress>, origin: string, time: number, moment: Moment): void {
  const known = origins.get(origin);
  if (!known) {
    origins.set(origin, { newest: time, idle: false, moves: [moment], last: [moment] });
    return;
  }
  if (time <= known.newest && !known.idle) return;
  known.newest = Math.max(known.newest, time);
  known.idle = false;
  known.moves.push(moment);
  known.last = [moment];
}
