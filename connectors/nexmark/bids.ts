/**
 * The bids of a stretch of the stream, which are most of it: made field by field, over all of them at once. So each loop holds few values, and
 * makes a stretch in half the time. What is hot is chosen by bits and not by a branch, which a processor would guess wrong half of the time.
 */

import {
  auctionsAhead,
  auctionsInFlight,
  auctionsPerEpoch,
  decades,
  firstId,
  hotEvery,
  peopleAtOnce,
} from './proportions.ts';
import { bitsOf, drawStep, smallIntOf, stateAfter, writeStates } from './random.ts';
import type { NexmarkField } from './schema.ts';
import { allChannels, channelCount, hotChannelCount, letters, paddingOffsets, paddingSize } from './texts.ts';

type Wanted = Readonly<Record<NexmarkField, boolean>>;
type Columns = Readonly<Record<NexmarkField, unknown[]>>;

/** Bids of one epoch that follow each other in the stretch. */
interface Run {
  /** Where the first of them stands in the stretch. */
  readonly place: number;
  readonly epoch: number;
  /** Of the first of them in the stream. */
  readonly number: number;
  readonly count: number;
}

const extraSize = paddingSize(32, 100);

/** What is known of each bid of a stretch while its fields are made. */
export class Bids {
  private readonly runs: Run[] = [];
  private count = 0;
  /** Of the random numbers of each bid, after the last field that was made. */
  private states = new Int32Array(0);

  private readonly wanted: Wanted;
  private readonly seed: number;

  constructor(wanted: Wanted, seed: number) {
    this.wanted = wanted;
    this.seed = seed;
  }

  add(run: Run): void {
    this.runs.push(run);
    this.count += run.count;
  }

  /** Makes their fields, and forgets them. Nothing is drawn that comes after the last field that is wanted. */
  make(columns: Columns): void {
    const { auction, bidder, price, channel, url, extra } = this.wanted;
    const needsChannel = channel || url || extra;
    const needsPrice = price || needsChannel;
    const needsBidder = bidder || needsPrice;
    if (auction || needsBidder) {
      this.seek();
      this.makeAuctions(auction ? columns.auction : undefined);
    }
    if (needsBidder) this.makeBidders(bidder ? columns.bidder : undefined);
    if (price) this.makePrices(columns.price);
    else if (needsPrice) this.passOver(2);
    if (channel || url) this.makeChannels(channel ? columns.channel : undefined, url ? columns.url : undefined);
    else if (needsChannel) this.passOver(2);
    if (extra) this.makeExtras(columns.extra);
    this.runs.length = 0;
    this.count = 0;
  }

  private seek(): void {
    const { count, seed } = this;
    if (this.states.length < count) this.states = new Int32Array(count);
    let bid = 0;
    for (const run of this.runs) {
      writeStates(this.states, bid, { seed, position: run.number, count: run.count });
      bid += run.count;
    }
  }

  private passOver(draws: number): void {
    const { count, states } = this;
    for (let bid = 0; bid < count; bid++) states[bid] = stateAfter(states[bid] as number, draws);
  }

  private makeAuctions(column?: unknown[]): void {
    const { states } = this;
    let bid = 0;
    for (const { place, epoch, count } of this.runs) {
      const last = epoch * auctionsPerEpoch + auctionsPerEpoch - 1;
      const oldest = Math.max(last - auctionsInFlight, 0);
      const hot = last - (last % hotEvery) - oldest;
      const others = last - oldest + auctionsAhead + 1;
      for (let next = place; next < place + count; next++, bid++) {
        const first = stateAfter(states[bid] as number, 1);
        const second = stateAfter(first, 1);
        // All bits where it is hot: then no second number is drawn.
        const isHot = bitsOf(first) >> 31;
        states[bid] = second - (drawStep & isHot);
        if (column) column[next] = oldest + firstId + ((hot & isHot) | (smallIntOf(second, others) & ~isHot));
      }
    }
  }

  private makeBidders(column?: unknown[]): void {
    const { states } = this;
    let bid = 0;
    for (const { place, epoch: last, count } of this.runs) {
      const { from, size } = peopleAtOnce(last);
      const hot = last - (last % hotEvery) + 1 - from;
      for (let next = place; next < place + count; next++, bid++) {
        const first = stateAfter(states[bid] as number, 1);
        const second = stateAfter(first, 1);
        // Three of four are hot.
        const isHot = -(((bitsOf(first) >>> 30) + 3) >> 2);
        states[bid] = second - (drawStep & isHot);
        if (column) column[next] = from + firstId + ((hot & isHot) | (smallIntOf(second, size) & ~isHot));
      }
    }
  }

  private makePrices(column: unknown[]): void {
    const { states } = this;
    let bid = 0;
    for (const { place, count } of this.runs) {
      for (let next = place; next < place + count; next++, bid++) {
        const first = stateAfter(states[bid] as number, 1);
        const second = stateAfter(first, 1);
        states[bid] = second;
        const decade = decades[smallIntOf(first, decades.length)] as number;
        column[next] = (((10_000 + smallIntOf(second, 90_000)) * decade) / 100) | 0;
      }
    }
  }

  private makeChannels(channels?: unknown[], urls?: unknown[]): void {
    const { states } = this;
    const all = allChannels();
    let bid = 0;
    for (const { place, count } of this.runs) {
      for (let next = place; next < place + count; next++, bid++) {
        const first = stateAfter(states[bid] as number, 1);
        const second = stateAfter(first, 1);
        states[bid] = second;
        const isHot = bitsOf(first) >> 31;
        const among = (hotChannelCount & isHot) | (channelCount & ~isHot);
        const index = smallIntOf(second, among) + (hotChannelCount & ~isHot);
        if (channels) channels[next] = all.names[index];
        if (urls) urls[next] = all.urls[index];
      }
    }
  }

  private makeExtras(column: unknown[]): void {
    const { states } = this;
    const { least, spread } = extraSize;
    let bid = 0;
    for (const { place, count } of this.runs) {
      for (let next = place; next < place + count; next++, bid++) {
        const first = stateAfter(states[bid] as number, 1);
        const length = least + smallIntOf(first, spread);
        column[next] = letters(smallIntOf(stateAfter(first, 1), paddingOffsets), length);
      }
    }
  }
}
