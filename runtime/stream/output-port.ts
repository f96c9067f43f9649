/** What gathers at a port of a node until it is sent on. */
import type { Subject } from 'rxjs';
import type { Batch, Frame } from './frame.ts';
import type { Event } from './schema.ts';

export interface Port {
  readonly name: string;
  readonly subject: Subject<Frame>;
  events: Event[];
  times: number[];
  causes: number[];
  /** Before those. */
  ready: Batch[];
}

/** What has gathered at a port, if anything has. */
export function takeBatch(port: Port): Batch[] {
  const { events, times, causes } = port;
  if (events.length === 0) return [];
  port.events = [];
  port.times = [];
  port.causes = [];
  return [{ kind: 'batch', events, times, causes }];
}
