/** Windows of the clock. */
import type { PeerQuery } from '../stream.ts';
import { second } from './time.ts';

const windowMs = 10 * second;

const bidsByArrival: PeerQuery = {
  fields: ['kind', 'bidder'],
  isTotalled: true,
  open(emit) {
    let window = 0;
    const counts = new Map<number, number>();
    const close = () => {
      for (const [bidder, count] of counts) emit([bidder, count]);
      counts.clear();
    };
    return {
      event({ kind, bidder }) {
        if (kind !== 'bid') return;
        const now = Date.now();
        if (now - window >= windowMs) {
          close();
          window = now - (now % windowMs);
        }
        counts.set(bidder as number, (counts.get(bidder as number) ?? 0) + 1);
      },
      end: close,
    };
  },
};

export const arrivalQueries: Readonly<Record<string, PeerQuery>> = { q12: bidsByArrival };
