/** What the generator gives: one stream of persons, auctions and bids, in one shape; a field of another kind of event is null. */
import { defineSchema, type EventOf, field } from '../../runtime/stream/index.ts';

export const nexmarkSchema = defineSchema({
  kind: field.string({ values: ['person', 'auction', 'bid'] }),
  date_time: field.timestamp(),
  extra: field.string({ description: 'padding' }),
  id: field.int({ nullable: true, description: 'of a person or an auction' }),
  name: field.string({ nullable: true }),
  email_address: field.string({ nullable: true }),
  credit_card: field.string({ nullable: true }),
  city: field.string({ nullable: true, repeated: true }),
  state: field.string({ nullable: true, repeated: true }),
  item_name: field.string({ nullable: true }),
  description: field.string({ nullable: true }),
  initial_bid: field.int({ nullable: true }),
  reserve: field.int({ nullable: true }),
  expires: field.timestamp({ nullable: true }),
  seller: field.int({ nullable: true, description: 'the person who sells' }),
  category: field.int({ nullable: true }),
  auction: field.int({ nullable: true, description: 'the auction of a bid' }),
  bidder: field.int({ nullable: true, description: 'the person who bids' }),
  price: field.int({ nullable: true }),
  channel: field.string({ nullable: true, repeated: true }),
  url: field.string({ nullable: true, repeated: true }),
});

export type NexmarkEvent = EventOf<typeof nexmarkSchema>;
export type NexmarkField = keyof typeof nexmarkSchema.fields;
export const nexmarkFields = Object.keys(nexmarkSchema.fields) as readonly NexmarkField[];
