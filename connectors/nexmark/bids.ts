/**
 * The bids of a stretch of the stream, which are most of it: made field by field, over all of them at once. So each loop holds few values, and
 * makes a stretch in half the time.
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
import { bitsOf, smallIntOf, stateAfter, stateAt } from './random.ts';
import type { NexmarkField } from './schema.ts';
import { allChannels, hotChannels, hotUrls, letters, paddingOffsets, paddingSize } from './texts.ts';

type Wanted = Readonly<Record<NexmarkField, boolean>>;
type Columns = Readonly<Record<NexmarkField, unknown[]>>;

const extraSize = paddingSize(32, 100);

/** What is known of each bid of a stretch while its fields are made. */
export class Bids {
  private count = 0;
  /** Where it stands in the stretch. */
  private readonly places: number[] = [];
  private readonly epochs: number[] = [];
  /** Of its random numbers, after the last field that was made. */
  private readonly states: number[] = [];

  private readonly wanted: Wanted;
  private readonly seed: number;

  constructor(wanted: Wanted, seed: number) {
    this.wanted = wanted;
    this.seed = seed;
  }

  add(place: number, epoch: number, number: number): void {
    this.places[this.count] = place;
    this.epochs[this.count] = epoch;
    this.states[this.count] = stateAt(this.seed, number);
    this.count++;
  }

  /** Makes their fields, and forgets them. Nothing is drawn that comes after the last field that is wanted. */
  make(columns: Columns): void {
    const { kind, auction, bidder, price, channel, url, extra } = this.wanted;
    const needsChannel = channel || url || extra;
    const needsPrice = price || needsChannel;
    const needsBidder = bidder || needsPrice;
    if (kind) this.makeKinds(columns.kind);
    if (auction || needsBidder) this.makeAuctions(auction ? columns.auction : undefined);
    if (needsBidder) this.makeBidders(bidder ? columns.bidder : undefined);
    if (price) this.makePrices(columns.price);
    else if (needsPrice) this.passOver(2);
    if (channel || url) this.makeChannels(channel ? columns.channel : undefined, url ? columns.url : undefined);
    else if (needsChannel) this.passOver(2);
    if (extra) this.makeExtras(columns.extra);
    this.count = 0;
  }

  private passOver(draws: number): void {
    const { count, states } = this;
    for (let bid = 0; bid < count; bid++) states[bid] = stateAfter(states[bid] as number, draws);
  }

  private makeKinds(column: unknown[]): void {
    const { count, places } = this;
    for (let bid = 0; bid < count; bid++) column[places[bid] as number] = 'bid';
  }

  private makeAuctions(column?: unknown[]): void {
    const { count, places, epochs, states } = this;
    for (let bid = 0; bid < count; bid++) {
      const last = (epochs[bid] as number) * auctionsPerEpoch + auctionsPerEpoch - 1;
      let state = stateAfter(states[bid] as number, 1);
      let auction = last - (last % hotEvery);
      const isHot = bitsOf(state) < 0;
      if (!isHot) {
        const oldest = Math.max(last - auctionsInFlight, 0);
        state = stateAfter(state, 1);
        auction = oldest + smallIntOf(state, last - oldest + auctionsAhead + 1);
      }
      states[bid] = state;
      if (column) column[places[bid] as number] = auction + firstId;
    }
  }

  private makeBidders(column?: unknown[]): void {
    const { count, places, epochs, states } = this;
    for (let bid = 0; bid < count; bid++) {
      const last = epochs[bid] as number;
      let state = stateAfter(states[bid] as number, 1);
      let bidder = last - (last % hotEvery) + 1;
      const isHot = bitsOf(state) >>> 30 > 0;
      if (!isHot) {
        state = stateAfter(state, 1);
        const { from, size } = peopleAtOnce(last);
        bidder = from + smallIntOf(state, size);
      }
      states[bid] = state;
      if (column) column[places[bid] as number] = bidder + firstId;
    }
  }

  private makePrices(column: unknown[]): void {
    const { count, places, states } = this;
    for (let bid = 0; bid < count; bid++) {
      const first = stateAfter(states[bid] as number, 1);
      const second = stateAfter(first, 1);
      states[bid] = second;
      const decade = decades[smallIntOf(first, decades.length)] as number;
      column[places[bid] as number] = (((10_000 + smallIntOf(second, 90_000)) * decade) / 100) | 0;
    }
  }

  private makeChannels(channels?: unknown[], urls?: unknown[]): void {
    const { count, places, states } = this;
    const all = allChannels();
    for (let bid = 0; bid < count; bid++) {
      const first = stateAfter(states[bid] as number, 1);
      const second = stateAfter(first, 1);
      states[bid] = second;
      const isHot = bitsOf(first) < 0;
      const place = places[bid] as number;
      if (isHot) {
        const index = smallIntOf(second, hotChannels.length);
        if (channels) channels[place] = hotChannels[index];
        if (urls) urls[place] = hotUrls[index];
      } else {
        const index = smallIntOf(second, all.names.length);
        if (channels) channels[place] = all.names[index];
        if (urls) urls[place] = all.urls[index];
      }
    }
  }

  private makeExtras(column: unknown[]): void {
    const { count, places, states } = this;
    const { least, spread } = extraSize;
    for (let bid = 0; bid < count; bid++) {
      const first = stateAfter(states[bid] as number, 1);
      const length = least + smallIntOf(first, spread);
      column[places[bid] as number] = letters(smallIntOf(stateAfter(first, 1), paddingOffsets), length);
    }
  }
}
