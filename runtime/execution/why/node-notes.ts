/** What one node looked at, changed and sent while it handled one event, one timer or one movement of time. */
import { eventKey } from '../../stream/event-key.ts';
import type { Output } from '../../stream/operator-definition.ts';
import type { StateKey } from '../../stream/operator-state.ts';
import type { Event } from '../../stream/schema.ts';
import type { BoundOperatorNode } from '../../topology/bound.ts';
import type { CellUse, Moment, Reason, Touch } from './lineage.ts';
import type { Tracer } from './tracer.ts';

interface Use extends CellUse {
  /** Whether the state has something of the key. */
  readonly isKept: () => boolean;
  changed: boolean;
}

interface Turn {
  readonly reason: Reason;
  readonly time: number;
  readonly uses: Map<string, Use>;
  /** The event was sent on or turned away; without it, it has gone into the state. */
  spoke: boolean;
  sent: boolean;
}

export class NodeNotes {
  private readonly tracer: Tracer;
  private readonly node: BoundOperatorNode;
  private readonly keyOf: ((event: Event) => StateKey) | undefined;
  private readonly heads = new Map<string, Touch>();
  private readonly timers = new Map<string, { readonly time: number; readonly touch: Touch }>();
  private turn: Turn | undefined;

  constructor(tracer: Tracer, node: BoundOperatorNode) {
    this.tracer = tracer;
    this.node = node;
    const { key } = node.bound;
    this.keyOf = key && key.length > 0 ? eventKey(key) : undefined;
  }

  /** True when something was sent. */
  run(reason: Reason, out: Output, work: (out: Output) => void, time: number): boolean {
    const turn: Turn = { reason, time, uses: new Map(), spoke: false, sent: false };
    this.turn = turn;
    try {
      work(this.watched(out, turn));
    } finally {
      this.turn = undefined;
    }
    const taken = reason.kind === 'event' && !turn.spoke;
    for (const [id, use] of turn.uses) {
      const exists = use.isKept();
      if (!exists) this.heads.delete(id);
      else if (use.changed || taken) this.heads.set(id, this.touch(turn.reason, use));
    }
    return turn.sent;
  }

  looked(state: string, key: StateKey, isKept: () => boolean): void {
    this.use(state, key, isKept);
  }

  wrote(state: string, key: StateKey, isKept: () => boolean): void {
    const use = this.use(state, key, isKept);
    if (use) use.changed = true;
  }

  timerSet(key: StateKey, name: string, time: number): void {
    if (!this.turn) return;
    const id = idOf(name, key);
    if (this.timers.get(id)?.time === time) return;
    this.timers.set(id, { time, touch: this.touch(this.turn.reason, { head: undefined, existed: false }) });
  }

  timerCleared(key: StateKey, name: string): void {
    this.timers.delete(idOf(name, key));
  }

  /** Who had put the timer there that fires now. */
  timerFired(key: StateKey, name: string): Touch | undefined {
    const id = idOf(name, key);
    const timer = this.timers.get(id);
    this.timers.delete(id);
    return timer?.touch;
  }

  private use(state: string, key: StateKey, isKept: () => boolean): Use | undefined {
    if (!this.turn) return undefined;
    const id = idOf(state, key);
    const known = this.turn.uses.get(id);
    if (known) return known;
    const existed = isKept();
    const use: Use = { state, key, isKept, existed, head: existed ? this.heads.get(id) : undefined, changed: false };
    this.turn.uses.set(id, use);
    return use;
  }

  private touch(reason: Reason, { head, existed }: Pick<CellUse, 'head' | 'existed'>): Touch {
    const moment: Moment = this.tracer.moment;
    const touch = { moment, reason, previous: head, whole: head?.whole ?? !existed };
    return Object.assign(touch, { first: head?.first ?? (touch as unknown as Touch) });
  }

  private watched(out: Output, turn: Turn): Output {
    const sent = (event: Event, port: string, time: number) => {
      this.tracer.remember({ node: this.node.id, port }, event, {
        kind: 'derived',
        node: this.node.id,
        port,
        event,
        time,
        moment: this.tracer.moment,
        reason: turn.reason,
        cells: this.cellsFor(event, turn),
      });
    };
    return {
      emit: (event, time, port) => {
        turn.spoke = true;
        turn.sent = true;
        sent(event, port ?? 'out', time ?? turn.time);
        out.emit(event, time, port);
      },
      emitColumns: (columns, times) => {
        turn.spoke = true;
        turn.sent = true;
        for (const [at, event] of columns.events.entries()) sent(event, 'out', times[at] as number);
        out.emitColumns(columns, times);
      },
      filtered: () => {
        turn.spoke = true;
        out.filtered();
      },
      late: (event, time) => {
        turn.spoke = true;
        sent(event, 'late', time);
        out.late(event, time);
      },
      dropped: (reason) => {
        turn.spoke = true;
        out.dropped(reason);
      },
      dead: (event, code, reason, time) => {
        turn.spoke = true;
        out.dead(event, code, reason, time);
      },
    };
  }

  /** One turn may go over all keys, as when time moves: what an event says of one key comes from the state of that key. */
  private cellsFor(event: Event, turn: Turn): CellUse[] {
    const uses = [...turn.uses.values()];
    if (uses.length < 2 || !this.keyOf) return uses;
    const key = this.keyOf(event);
    const own = new Set(uses.filter((use) => use.key === key).map(({ state }) => state));
    return uses.filter((use) => use.key === key || !own.has(use.state));
  }
}

/** A key's type is part of it: the number 1 and the text "1" are two keys. */
function idOf(name: string, key: StateKey): string {
  return `${typeof key === 'number' ? 'n' : 's'}${key}\u0000${name}`;
}
