/** Subscribing to frames so that what a handler throws reaches whoever sent the frame. */
import { type Observable, Subscriber, type Subscription } from 'rxjs';
import type { Frame } from './frame.ts';

/**
 * RxJS catches what an observer throws, reports it on a timer, and lets the sender go on: half a message would count as
 * handled. A `Subscriber` given as it is is not wrapped in that way (RxJS 7.8, `Observable.subscribe`), so the error goes up
 * to the stage, which stops there.
 */
class FrameSubscriber extends Subscriber<Frame> {
  private readonly handle: (frame: Frame) => void;

  constructor(handle: (frame: Frame) => void) {
    super();
    this.handle = handle;
  }

  override next(frame: Frame): void {
    this.handle(frame);
  }
}

export function subscribeFrames(frames: Observable<Frame>, handle: (frame: Frame) => void): Subscription {
  return frames.subscribe(new FrameSubscriber(handle));
}

/** An operator threw: which one, for the error that the stage stops with. */
export class NodeFailure extends Error {
  readonly node: string;

  constructor(node: string, cause: unknown) {
    super(cause instanceof Error ? cause.message : String(cause), { cause });
    this.name = 'NodeFailure';
    this.node = node;
  }
}
