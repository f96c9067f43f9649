/** All who speak: one interface engine for each hospital, the 115 centre, the bed files. */
import iconv from 'iconv-lite';
import { connectFeed, type FeedClient } from '../../../connectors/feed-115/client.ts';
import { messageOf } from '../../../runtime/errors.ts';
import { simulatorErrors } from '../../errors.ts';
import { simulatorLimits } from '../../limits.ts';
import type { CityEvent, Hl7CityEvent } from '../events.ts';
import type { HospitalSite } from '../hospitals.ts';
import { type Address, parseAddress } from './address.ts';
import { BedWriter } from './bed-writer.ts';
import { type MllpCounts, MllpSender } from './mllp-sender.ts';

export interface CityTargets {
  /** Where an hl7-mllp source listens; as text, `host:port`. */
  readonly hl7?: string | Address | undefined;
  /** Where a feed-115 source listens. */
  readonly feed?: string | Address | undefined;
  /** Folder that a file-drop source watches. */
  readonly beds?: string | undefined;
}

/** Name of the simulated 115 centre. */
export const centreName = '115-thu-nghiem';

export interface SpeakerCounts extends MllpCounts {
  /** Items that the receiver of the feed has on disk, and those that it refused. */
  feedAcknowledged: number;
  feedRefused: number;
}

export interface Speakers {
  /** Hands the message to whoever sends it. Waits while that queue is full; rejects when it can send no more. */
  say(event: CityEvent): Promise<void>;
  /** Resolves when everything has been answered. */
  flush(): Promise<void>;
  counts(): SpeakerCounts;
  close(): Promise<void>;
}

export function bytesOf({ text, encoding }: Hl7CityEvent): Uint8Array {
  return encoding === 'utf-8' ? Buffer.from(text, 'utf8') : iconv.encode(text, encoding);
}

export async function openSpeakers(sites: readonly HospitalSite[], targets: CityTargets): Promise<Speakers> {
  const hospitals = new Map<string, MllpSender>();
  const hl7 = readAddress('hl7', targets.hl7);
  const feedAddress = readAddress('feed', targets.feed);
  if (hl7) for (const { id } of sites) hospitals.set(id, new MllpSender({ hospital: id, ...hl7 }));
  const feed = feedAddress && (await openFeed(feedAddress));
  const beds = targets.beds === undefined ? null : new BedWriter(targets.beds);
  const told = async <T>(promise: Promise<T>): Promise<T> => {
    try {
      return await promise;
    } catch (error) {
      throw simulatorErrors.make('MACH1705', { address: textOf(feedAddress), reason: messageOf(error) }, error);
    }
  };
  return {
    async say(event) {
      if (event.kind === 'hl7') await hospitals.get(event.hospital)?.send(event.id, bytesOf(event));
      else if (event.kind === 'feed') await (feed && told(feed.send(event.item)));
      else await beds?.send(event.name, event.text);
    },
    async flush() {
      await Promise.all([...[...hospitals.values()].map((sender) => sender.flush()), beds?.flush()]);
      if (feed) await told(feed.flush());
    },
    counts: () => sumCounts([...hospitals.values()], feed),
    async close() {
      for (const sender of hospitals.values()) sender.close();
      await feed?.close();
    },
  };
}

function readAddress(option: string, given: string | Address | undefined): Address | null {
  if (typeof given !== 'string') return given ?? null;
  const address = parseAddress(given);
  if (address) return address;
  const reason = `"${given}" is not host:port, such as 127.0.0.1:2575`;
  throw simulatorErrors.make('MACH1702', { option, reason });
}

function textOf(address: Address | null): string {
  if (!address) return '';
  return address.host.includes(':') ? `[${address.host}]:${address.port}` : `${address.host}:${address.port}`;
}

function openFeed(address: Address): Promise<FeedClient> {
  return connectFeed({ address: textOf(address), centre: centreName, keptItemsMax: simulatorLimits.feedItemsMax });
}

function sumCounts(senders: readonly MllpSender[], feed: FeedClient | null): SpeakerCounts {
  const sum = { accepted: 0, rejected: 0, resent: 0 };
  for (const { counts } of senders) {
    sum.accepted += counts.accepted;
    sum.rejected += counts.rejected;
    sum.resent += counts.resent;
  }
  return { ...sum, feedAcknowledged: feed?.acknowledged ?? 0, feedRefused: feed?.refused ?? 0 };
}
