/**
 * The seeded Nexmark: event `n` is the same for everyone who knows the seed, and needs nothing of event `n - 1`. Proportions, hot keys and
 * sizes are those of the official generator; what is drawn, and in which order, is fixed here, so
 * that engines can be compared row by row.
 */
import { EventColumns, type Field } from '../../runtime/stream/index.ts';
import { Bids } from './bids.ts';
import {
  auctionsPerEpoch,
  categories,
  decades,
  eventsPerEpoch,
  firstCategory,
  firstId,
  horizonEvents,
  hotEvery,
  peopleAtOnce,
} from './proportions.ts';
import { Random } from './random.ts';
import { type NexmarkEvent, type NexmarkField, nexmarkFields, nexmarkSchema } from './schema.ts';
import { padding, shortText, word } from './texts.ts';

export interface StreamSettings {
  readonly seed: number;
  /** Events a second of event time. */
  readonly rate: number;
  /** Events within which the order is mixed; 1: in order. No multiple of 953. */
  readonly disorder: number;
}

export const firstTimeMs = 1_436_918_400_000;
/** Coprime to every disorder that is allowed. */
export const disorderStep = 953;
const firstNames = ['Peter', 'Paul', 'Luke', 'John', 'Saul', 'Vicky', 'Kate', 'Julie', 'Sarah', 'Deiter', 'Walter'];
const lastNames = ['Shultz', 'Abrams', 'Spencer', 'White', 'Bartels', 'Walton', 'Smith', 'Jones', 'Noris'];
const cities = [
  'Phoenix',
  'Los Angeles',
  'San Francisco',
  'Boise',
  'Portland',
  'Bend',
  'Redmond',
  'Seattle',
  'Kent',
  'Cheyenne',
];
const states = ['AZ', 'CA', 'ID', 'OR', 'WA', 'WY'];

type Wanted = Readonly<Record<NexmarkField, boolean>>;
/** Of each field the values of a stretch of the stream; of a field that is not wanted, none. */
type Columns = Record<NexmarkField, unknown[]>;

/** Events of a stretch of the stream. */
export interface Stretch {
  /** With the fields that are wanted. */
  readonly events: EventColumns;
  readonly times: readonly number[];
}

export interface Generator {
  /** `count` events from a place of the stream on, which begins at 0. */
  stretch(from: number, count: number): Stretch;
  eventAt(position: number): NexmarkEvent;
}

/** Only the fields named are made, and stand in the events; all of them when absent. */
export function openGenerator(settings: StreamSettings, fields: readonly NexmarkField[] = nexmarkFields): Generator {
  const { seed, rate, disorder } = settings;
  const random = new Random();
  const wanted = Object.fromEntries(nexmarkFields.map((name) => [name, fields.includes(name)])) as Wanted;
  const named = nexmarkFields.filter((name) => wanted[name]);
  const bids = new Bids(wanted, seed);
  const makePerson = personMaker(random, wanted);
  const makeAuction = auctionMaker(random, wanted, (number) => timeOf(number, rate));
  const stretch = (from: number, count: number): Stretch => {
    const times = new Array<number>(count);
    const columns = { ...none };
    for (const name of named) columns[name] = emptyColumn(name, count);
    if (wanted.date_time) columns.date_time = times;
    for (let at = 0; at < count; ) {
      const number = disorder === 1 ? from + at : numberAt(from + at, disorder);
      const rest = number % eventsPerEpoch;
      // What stands in one row after another is made together.
      const bidsInRow = rest <= auctionsPerEpoch ? 0 : disorder === 1 ? Math.min(eventsPerEpoch - rest, count - at) : 1;
      if (bidsInRow > 0) bids.add({ place: at, epoch: (number - rest) / eventsPerEpoch, number, count: bidsInRow });
      else {
        random.seek(seed, number);
        if (rest > 0) makeAuction(columns, at, number);
        else makePerson(columns, at, number);
      }
      for (let made = 0; made < Math.max(bidsInRow, 1); made++, at++) times[at] = timeOf(number + made, rate);
    }
    bids.make(columns);
    const own = named.map((name) => columns[name]);
    return { events: new EventColumns(named, own, { length: count }), times };
  };
  return { stretch, eventAt: (position) => stretch(position, 1).events.events[0] as NexmarkEvent };
}

const none = Object.fromEntries(nexmarkFields.map((name) => [name, [] as unknown[]])) as Columns;

/** Copied for each stretch, which takes a quarter of the time of filling. */
let nulls: readonly unknown[] = [];
let kinds: readonly unknown[] = [];

function emptyColumn(name: NexmarkField, count: number): unknown[] {
  if (nulls.length < count) {
    nulls = new Array<unknown>(count).fill(null);
    kinds = new Array<unknown>(count).fill('bid');
  }
  // Those that are no bids say so.
  if (name === 'kind') return kinds.slice(0, count);
  const { nullable }: Field = nexmarkSchema.fields[name];
  // What no event of another kind has is null there.
  return nullable ? nulls.slice(0, count) : new Array<unknown>(count);
}

export function numberAt(position: number, disorder: number): number {
  return Math.floor(position / disorder) * disorder + ((position * disorderStep) % disorder);
}

export function timeOf(number: number, rate: number): number {
  return firstTimeMs + Math.floor((number * 1e6) / rate / 1000);
}

function lastPersonAt(number: number): number {
  return Math.floor(number / eventsPerEpoch);
}

function lastAuctionAt(number: number): number {
  const epoch = Math.floor(number / eventsPerEpoch);
  const offset = number % eventsPerEpoch;
  if (offset < 1) return (epoch - 1) * auctionsPerEpoch + auctionsPerEpoch - 1;
  return epoch * auctionsPerEpoch + Math.min(offset - 1, auctionsPerEpoch - 1);
}

function nextPerson(random: Random, lastPerson: number): number {
  const { from, size } = peopleAtOnce(lastPerson);
  return from + random.int(size);
}

/** Of every e-mail address, and of every card number. */
const emailLength = '1234567@12345.com'.length;
const cardLength = '0000 0000 0000 0000'.length;

function nextPrice(random: Random): number {
  const decade = random.int(decades.length);
  const mantissa = 10_000 + random.int(90_000);
  return Math.floor((mantissa * (decades[decade] as number)) / 100);
}

type Make = (columns: Columns, at: number, number: number) => void;

function personMaker(random: Random, wanted: Wanted): Make {
  const { kind, id, name, email_address, credit_card, city, state, extra } = wanted;
  const needsTexts = name || email_address || credit_card || city || state || extra;
  return (columns, at, number) => {
    if (kind) columns.kind[at] = 'person';
    if (id) columns.id[at] = lastPersonAt(number) + firstId;
    if (!needsTexts) return;
    const nameText = `${pick(random, firstNames)} ${pick(random, lastNames)}`;
    if (name) columns.name[at] = nameText;
    if (email_address) columns.email_address[at] = `${word(random, 7)}@${word(random, 5)}.com`;
    else random.passOver(2);
    if (credit_card)
      columns.credit_card[at] = [0, 0, 0, 0].map(() => String(random.int(10_000)).padStart(4, '0')).join(' ');
    else random.passOver(4);
    const cityText = pick(random, cities);
    const stateText = pick(random, states);
    if (city) columns.city[at] = cityText;
    if (state) columns.state[at] = stateText;
    const size = 8 + nameText.length + emailLength + cardLength + cityText.length + stateText.length;
    if (extra) columns.extra[at] = padding(random, size, 200);
  };
}

function pick(random: Random, texts: readonly string[]): string {
  return texts[random.int(texts.length)] as string;
}

function auctionMaker(random: Random, wanted: Wanted, time: (number: number) => number): Make {
  const { kind, id, seller, category, initial_bid, expires, item_name, description, reserve, extra } = wanted;
  const needsTexts = item_name || description || reserve || extra;
  const needsAny = seller || category || initial_bid || expires || needsTexts;
  return (columns, at, number) => {
    if (kind) columns.kind[at] = 'auction';
    if (id) columns.id[at] = lastAuctionAt(number) + firstId;
    if (!needsAny) return;
    const lastPerson = lastPersonAt(number);
    const hot = random.int(4) > 0;
    const person = hot ? Math.floor(lastPerson / hotEvery) * hotEvery : nextPerson(random, lastPerson);
    if (seller) columns.seller[at] = person + firstId;
    const categoryId = firstCategory + random.int(categories);
    if (category) columns.category[at] = categoryId;
    const firstPrice = nextPrice(random);
    if (initial_bid) columns.initial_bid[at] = firstPrice;
    const begins = time(number);
    const open = random.int(Math.max(2 * (time(number + horizonEvents) - begins), 1));
    if (expires) columns.expires[at] = begins + 1 + open;
    if (!needsTexts) return;
    const itemName = shortText(random, 20);
    const text = shortText(random, 100);
    if (item_name) columns.item_name[at] = itemName;
    if (description) columns.description[at] = text;
    const wantedPrice = firstPrice + nextPrice(random);
    if (reserve) columns.reserve[at] = wantedPrice;
    if (extra) columns.extra[at] = padding(random, 8 + itemName.length + text.length + 48, 500);
  };
}
