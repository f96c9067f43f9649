/** Queries that look at one bid at a time. */
import type { PeerQuery } from '../stream.ts';
import { hourOf } from './time.ts';

const sideInput = Array.from({ length: 10_000 }, (_, key) => String(key));
const letterC = 'c'.charCodeAt(0);
const channelIds: Readonly<Record<string, string>> = { apple: '0', google: '1', facebook: '2', baidu: '3' };
const channelIdPattern = /(?:&|^)channel_id=([^&]*)/;

export function kindOfTime(time: number): string {
  const hour = hourOf(time);
  if (hour >= 8 && hour <= 18) return 'dayTime';
  return hour <= 6 || hour >= 20 ? 'nightTime' : 'otherTime';
}

export function countLetterC(text: string): number {
  let count = 0;
  for (let at = 0; at < text.length; at++) if (text.charCodeAt(at) === letterC) count++;
  return count;
}

export function channelIdOf(channel: string, url: string): string | undefined {
  return channelIds[channel.toLowerCase()] ?? channelIdPattern.exec(url)?.[1];
}

export const statelessQueries: Readonly<Record<string, PeerQuery>> = {
  q0: {
    fields: ['kind', 'auction', 'bidder', 'price', 'date_time', 'extra'],
    open: (emit) => ({
      event({ kind, auction, bidder, price, date_time, extra }) {
        if (kind === 'bid') emit([auction, bidder, price, date_time, extra]);
      },
    }),
  },
  q1: {
    fields: ['kind', 'auction', 'bidder', 'price', 'date_time', 'extra'],
    open: (emit) => ({
      event({ kind, auction, bidder, price, date_time, extra }) {
        if (kind === 'bid') emit([auction, bidder, 0.908 * (price as number), date_time, extra]);
      },
    }),
  },
  q2: {
    fields: ['kind', 'auction', 'price'],
    open: (emit) => ({
      event({ kind, auction, price }) {
        if (kind === 'bid' && (auction as number) % 123 === 0) emit([auction, price]);
      },
    }),
  },
  q13: {
    fields: ['kind', 'auction', 'bidder', 'price', 'date_time'],
    open: (emit) => ({
      event({ kind, auction, bidder, price, date_time }) {
        if (kind === 'bid') emit([auction, bidder, price, date_time, sideInput[(auction as number) % 10_000]]);
      },
    }),
  },
  q14: {
    fields: ['kind', 'auction', 'bidder', 'price', 'date_time', 'extra'],
    open: (emit) => ({
      event({ kind, auction, bidder, price, date_time, extra }) {
        if (kind !== 'bid') return;
        const euros = 0.908 * (price as number);
        if (euros > 1_000_000 && euros < 50_000_000)
          emit([auction, bidder, euros, kindOfTime(date_time), date_time, extra, countLetterC(extra)]);
      },
    }),
  },
  q21: {
    fields: ['kind', 'auction', 'bidder', 'price', 'channel', 'url'],
    open: (emit) => ({
      event({ kind, auction, bidder, price, channel, url }) {
        if (kind !== 'bid') return;
        const id = channelIdOf(channel as string, url as string);
        if (id !== undefined) emit([auction, bidder, price, channel, id]);
      },
    }),
  },
  q22: {
    fields: ['kind', 'auction', 'bidder', 'price', 'channel', 'url'],
    open: (emit) => ({
      event({ kind, auction, bidder, price, channel, url }) {
        if (kind !== 'bid') return;
        const parts = (url as string).split('/');
        emit([auction, bidder, price, channel, parts[3], parts[4], parts[5]]);
      },
    }),
  },
};
