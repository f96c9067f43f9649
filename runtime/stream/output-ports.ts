/** The ports of a node, and what gathers at each until it is sent on. */
import { Subject } from 'rxjs';
import type { Batch, Frame } from './frame.ts';
import type { Event } from './schema.ts';

const mainName = 'out';

interface Port {
  readonly name: string;
  readonly subject: Subject<Frame>;
  events: Event[];
  times: number[];
  causes: number[];
  /** Before those. */
  ready: Batch[];
}

export class OutputPorts {
  /** Where nobody says which. */
  readonly main: Port;
  private readonly node: string;
  private readonly all: readonly Port[];
  private readonly byName: ReadonlyMap<string, Port>;

  constructor(node: string, names: readonly string[]) {
    this.node = node;
    this.all = [...new Set(names)].map((name) => ({
      name,
      subject: new Subject<Frame>(),
      events: [],
      times: [],
      causes: [],
      ready: [],
    }));
    this.byName = new Map(this.all.map((port) => [port.name, port]));
    this.main = (this.byName.get(mainName) ?? this.all[0]) as Port;
  }

  named(name: string): Port {
    const port = this.byName.get(name);
    if (!port) throw new Error(`node ${this.node} has no port ${name}`);
    return port;
  }

  /** Behind what has gathered at the main port. */
  addBatch(batch: Batch): void {
    this.main.ready.push(...takeGathered(this.main), batch);
  }

  /** Sends on what has gathered, port by port. */
  send(): void {
    for (const port of this.all) {
      if (port.ready.length > 0) for (const batch of port.ready.splice(0)) port.subject.next(batch);
      for (const batch of takeGathered(port)) port.subject.next(batch);
    }
  }

  /** By every port. */
  forward(frame: Frame): void {
    for (const { subject } of this.all) subject.next(frame);
  }
}

/** As a batch, if anything has. */
function takeGathered(port: Port): Batch[] {
  const { events, times, causes } = port;
  if (events.length === 0) return [];
  port.events = [];
  port.times = [];
  port.causes = [];
  return [{ kind: 'batch', events, times, causes }];
}
