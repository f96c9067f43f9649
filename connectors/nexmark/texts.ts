/** The texts of the seeded Nexmark: stretches of one pool of letters, so that a text costs next to nothing. */
import { Random } from './random.ts';

const poolLength = 65_536;
/** No text is longer; an offset always leaves room for it. */
const stretchMax = 1_024;
const hotUrlsFrom = 1_000;
const channelUrlsFrom = 5_000;
export const channelCount = 10_000;

interface Pool {
  readonly letters: string;
  /** With underscores in the place of spaces. */
  readonly words: string;
}

let pool: Pool | undefined;

/** Made when it is first wanted: every command loads this file. */
function thePool(): Pool {
  pool ??= makePool();
  return pool;
}

function makePool(): Pool {
  const random = new Random(0);
  const codes = new Uint8Array(poolLength);
  for (let at = 0; at < poolLength; at++) codes[at] = random.int(13) === 0 ? 0x20 : 0x61 + random.int(26);
  const letters = Buffer.from(codes).toString('latin1');
  return { letters, words: letters.replaceAll(' ', '_') };
}

/** `length` letters and underscores. */
export function word(random: Random, length: number): string {
  const offset = random.int(poolLength - length);
  return thePool().words.substring(offset, offset + length);
}

/** Three letters at least, less than `lengthMax`. */
export function shortText(random: Random, lengthMax: number): string {
  const length = 3 + random.int(lengthMax - 3);
  const offset = random.int(poolLength - lengthMax);
  return thePool().letters.substring(offset, offset + length);
}

/** How long a text is that fills an event of `size` bytes up to about `wanted`: `least`, or more by less than `spread`. */
export function paddingSize(size: number, wanted: number): { readonly least: number; readonly spread: number } {
  const rest = Math.max(wanted - size, 0);
  const delta = Math.floor(rest * 0.2 + 0.5);
  return { least: rest - delta, spread: 2 * delta };
}

export const paddingOffsets = poolLength - stretchMax;

/** `length` letters and spaces. */
export function letters(offset: number, length: number): string {
  return thePool().letters.substring(offset, offset + length);
}

/** What fills an event of `size` bytes up to about `wanted`. */
export function padding(random: Random, size: number, wanted: number): string {
  if (size > wanted) return '';
  const { least, spread } = paddingSize(size, wanted);
  const length = least + (spread > 0 ? random.int(spread) : 0);
  return letters(random.int(paddingOffsets), length);
}

const hotChannels: readonly string[] = ['Google', 'Facebook', 'Baidu', 'Apple'];

/** So many of all channels are hot: those that come first. */
export const hotChannelCount = hotChannels.length;

interface Channels {
  readonly names: readonly string[];
  readonly urls: readonly string[];
}

let channels: Channels | undefined;

/** The hot channels, and behind them channels 0 to 9,999, each with its url. Made when they are first wanted. */
export function allChannels(): Channels {
  channels ??= makeChannels();
  return channels;
}

function makeChannels(): Channels {
  const numbers = Array.from({ length: channelCount }, (_, channel) => channel);
  const hotUrls = hotChannels.map((_, index) => url(new Random(hotUrlsFrom + index)));
  return {
    names: [...hotChannels, ...numbers.map((channel) => `channel-${channel}`)],
    urls: [...hotUrls, ...numbers.map((channel) => inOnePiece(channelUrl(channel)))],
  };
}

/** A text that is put together stays a tree of its parts, or a step further away, for as long as it lives. */
function inOnePiece(text: string): string {
  return Buffer.from(text, 'latin1').toString('latin1');
}

function url(random: Random): string {
  return `https://www.nexmark.com/${word(random, 5)}/${word(random, 5)}/${word(random, 5)}/item.htm?query=1`;
}

function channelUrl(channel: number): string {
  const random = new Random(channelUrlsFrom + channel);
  const base = url(random);
  return random.int(10) > 0 ? `${base}&channel_id=${Math.abs(reverseBits(channel))}` : base;
}

function reverseBits(value: number): number {
  let reversed = 0;
  for (let bit = 0; bit < 32; bit++) reversed = (reversed << 1) | ((value >>> bit) & 1);
  return reversed;
}
