/**
 * The seeded Nexmark: event `n` is the same for everyone who knows the seed, and needs nothing of event `n - 1`. Proportions, hot keys and
 * sizes are those of the official generator (github.com/nexmark/nexmark); what is drawn, and in which order, is fixed here, so
 * that engines can be compared row by row.
 */
import { Random } from './random.ts';
import { type NexmarkEvent, type NexmarkField, nexmarkFields } from './schema.ts';
import { channelOf, hotChannels, hotUrls, padding, shortText, word } from './texts.ts';

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
const eventsPerEpoch = 50;
const auctionsPerEpoch = 3;
const firstId = 1_000;
const firstCategory = 10;
const categories = 5;
const hotEvery = 100;
const activePeople = 1_000;
const peopleAhead = 10;
const auctionsInFlight = 100;
const auctionsAhead = 10;
/** Until so many events later an auction is open. */
const horizonEvents = 1_666;

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

export interface Generator {
  /** The event at a place of the stream, from 0, with the fields that are wanted. */
  eventAt(position: number): NexmarkEvent;
}

/** Only the fields named are made, and stand in the events; all of them when absent. */
export function openGenerator(settings: StreamSettings, fields: readonly NexmarkField[] = nexmarkFields): Generator {
  const { seed, rate, disorder } = settings;
  const random = new Random();
  const wanted = Object.fromEntries(nexmarkFields.map((name) => [name, fields.includes(name)])) as Wanted;
  const named = nexmarkFields.filter((name) => wanted[name]);
  // Copies of one object have one hidden class.
  const empty = JSON.parse(`{${named.map((name) => `"${name}":null`).join(',')}}`) as NexmarkEvent;
  const makeBid = bidMaker(random, wanted);
  const makePerson = personMaker(random, wanted);
  const makeAuction = auctionMaker(random, wanted, (number) => timeOf(number, rate));
  return {
    eventAt(position) {
      const number = disorder === 1 ? position : numberAt(position, disorder);
      random.seek(seed, number);
      const event: NexmarkEvent = { ...empty };
      if (wanted.date_time) event.date_time = timeOf(number, rate);
      const rest = number % eventsPerEpoch;
      if (rest > auctionsPerEpoch) makeBid(event, number);
      else if (rest > 0) makeAuction(event, number);
      else makePerson(event, number);
      return event;
    },
  };
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
  const people = lastPerson + 1;
  const active = Math.min(people, activePeople);
  return people - active + random.int(active + peopleAhead);
}

/** Of every e-mail address, and of every card number. */
const emailLength = '1234567@12345.com'.length;
const cardLength = '0000 0000 0000 0000'.length;

const decades = [1, 10, 100, 1_000, 10_000, 100_000];

function nextPrice(random: Random): number {
  const decade = random.int(6);
  const mantissa = 10_000 + random.int(90_000);
  return Math.floor((mantissa * (decades[decade] as number)) / 100);
}

function bidMaker(random: Random, wanted: Wanted): (event: NexmarkEvent, number: number) => void {
  const { kind, auction, bidder, price, channel, url, extra } = wanted;
  const hasChannel = channel || url;
  // Nothing is drawn that comes after the last field that is wanted.
  const needsChannel = hasChannel || extra;
  const needsPrice = price || needsChannel;
  const needsBidder = bidder || needsPrice;
  const needsAuction = auction || needsBidder;
  return (event, number) => {
    if (kind) event.kind = 'bid';
    if (!needsAuction) return;
    const lastAuction = lastAuctionAt(number);
    const auctionId = nextAuction(random, lastAuction);
    if (auction) event.auction = auctionId;
    if (!needsBidder) return;
    const lastPerson = lastPersonAt(number);
    const hot = random.int(4) > 0;
    const person = hot ? Math.floor(lastPerson / hotEvery) * hotEvery + 1 : nextPerson(random, lastPerson);
    if (bidder) event.bidder = person + firstId;
    if (!needsPrice) return;
    if (price) event.price = nextPrice(random);
    else random.skip(2);
    if (!needsChannel) return;
    const isHot = random.int(2) > 0;
    if (!hasChannel) random.skip(1);
    else if (isHot) {
      const index = random.int(hotChannels.length);
      if (channel) event.channel = hotChannels[index] as string;
      if (url) event.url = hotUrls[index] as string;
    } else {
      const found = channelOf(random.int(10_000));
      if (channel) event.channel = found.name;
      if (url) event.url = found.url;
    }
    if (extra) event.extra = padding(random, 32, 100);
  };
}

function nextAuction(random: Random, lastAuction: number): number {
  if (random.int(2) > 0) return Math.floor(lastAuction / hotEvery) * hotEvery + firstId;
  const oldest = Math.max(lastAuction - auctionsInFlight, 0);
  return oldest + random.int(lastAuction - oldest + auctionsAhead + 1) + firstId;
}

function personMaker(random: Random, wanted: Wanted): (event: NexmarkEvent, number: number) => void {
  const { kind, id, name, email_address, credit_card, city, state, extra } = wanted;
  const needsTexts = name || email_address || credit_card || city || state || extra;
  return (event, number) => {
    if (kind) event.kind = 'person';
    if (id) event.id = lastPersonAt(number) + firstId;
    if (!needsTexts) return;
    const nameText = `${pick(random, firstNames)} ${pick(random, lastNames)}`;
    if (name) event.name = nameText;
    if (email_address) event.email_address = `${word(random, 7)}@${word(random, 5)}.com`;
    else random.skip(2);
    if (credit_card) event.credit_card = [0, 0, 0, 0].map(() => String(random.int(10_000)).padStart(4, '0')).join(' ');
    else random.skip(4);
    const cityText = pick(random, cities);
    const stateText = pick(random, states);
    if (city) event.city = cityText;
    if (state) event.state = stateText;
    const size = 8 + nameText.length + emailLength + cardLength + cityText.length + stateText.length;
    if (extra) event.extra = padding(random, size, 200);
  };
}

function pick(random: Random, texts: readonly string[]): string {
  return texts[random.int(texts.length)] as string;
}

function auctionMaker(
  random: Random,
  wanted: Wanted,
  time: (number: number) => number,
): (event: NexmarkEvent, number: number) => void {
  const { kind, id, seller, category, initial_bid, expires, item_name, description, reserve, extra } = wanted;
  const needsTexts = item_name || description || reserve || extra;
  const needsAny = seller || category || initial_bid || expires || needsTexts;
  return (event, number) => {
    if (kind) event.kind = 'auction';
    if (id) event.id = lastAuctionAt(number) + firstId;
    if (!needsAny) return;
    const lastPerson = lastPersonAt(number);
    const hot = random.int(4) > 0;
    const person = hot ? Math.floor(lastPerson / hotEvery) * hotEvery : nextPerson(random, lastPerson);
    if (seller) event.seller = person + firstId;
    const categoryId = firstCategory + random.int(categories);
    if (category) event.category = categoryId;
    const firstPrice = nextPrice(random);
    if (initial_bid) event.initial_bid = firstPrice;
    const begins = time(number);
    const open = random.int(Math.max(2 * (time(number + horizonEvents) - begins), 1));
    if (expires) event.expires = begins + 1 + open;
    if (!needsTexts) return;
    const itemName = shortText(random, 20);
    const text = shortText(random, 100);
    if (item_name) event.item_name = itemName;
    if (description) event.description = text;
    const wantedPrice = firstPrice + nextPrice(random);
    if (reserve) event.reserve = wantedPrice;
    if (extra) event.extra = padding(random, 8 + itemName.length + text.length + 48, 500);
  };
}
