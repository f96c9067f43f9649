/** An event as a line of JSON with the names of the official schema: what other engines read, and what the hash of a stream is of. */
import type { NexmarkEvent } from './schema.ts';

/** Without its line feed. */
export function lineOf(event: NexmarkEvent): string {
  const { kind, date_time: dateTime, extra, id } = event;
  if (kind === 'person') {
    const { name, email_address: emailAddress, credit_card: creditCard, city, state } = event;
    return JSON.stringify({ kind, id, name, emailAddress, creditCard, city, state, dateTime, extra });
  }
  if (kind === 'auction') {
    const { item_name: itemName, description, initial_bid: initialBid, reserve, expires, seller, category } = event;
    return JSON.stringify({
      kind,
      id,
      itemName,
      description,
      initialBid,
      reserve,
      dateTime,
      expires,
      seller,
      category,
      extra,
    });
  }
  const { auction, bidder, price, channel, url } = event;
  return JSON.stringify({ kind, auction, bidder, price, channel, url, dateTime, extra });
}
