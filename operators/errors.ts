/** What operators turn events away with: the reasons in dead letters. */
import { defineErrors } from '../runtime/stream/index.ts';

export const operatorErrors = defineErrors({
  MACH1800: {
    message: 'there is no room for one more key: {keys} keys are held already',
    help: 'The node holds as many keys as its option `keys` allows, and this event has one more. It has become a dead letter. Raise `keys` (the default is stateKeysMax), make the window or the time that keys are held shorter, or choose a key with fewer values.',
  },
  MACH1801: {
    message: 'there is no room for one more pane: {panes} are held already, for all keys together (panesMax)',
    help: 'An aggregate holds one pane for each key and step of time that open windows still need. This event would need one more and has become a dead letter. Make the window smaller, its step longer, its lateness shorter, or choose a key with fewer values.',
  },
  MACH1802: {
    message: 'a distinct() of this window already holds {values} values (distinctValuesMax)',
    help: 'distinct(x) holds every value to count exactly. This event has one more value and has become a dead letter. Use approx_distinct(x), which needs 4 KiB for any number of values and is right to 2 %.',
  },
  MACH1803: {
    message: 'a ranking already holds {things} things (thingsMax)',
    help: 'top holds the newest event of each thing that `of` names. This event is about one more and has become a dead letter. Rank things that are fewer, give each `key` its own ranking, or let things be forgotten with `forget`.',
  },
  MACH1804: {
    message: 'a key already holds {things} things (thingsMax)',
    help: 'aggregate with `of` holds the newest values of each thing. This event is about one more and has become a dead letter. Choose a key with fewer things, or take those out with a filter that need not be counted.',
  },
  MACH1850: {
    message: 'key {key} has {waiting} events that wait for partners already (waitingPerKeyMax)',
    help: 'An interval join keeps the events of a key for as long as partners may come. This event would be one too many and has become a dead letter. Make `within` shorter, join on more fields, or take out with a filter what never has a partner.',
  },
  MACH1870: {
    message: 'key {key} has {events} events that wait for the watermark already (eventsPerKeyMax)',
    help: 'A pattern sees the events of a key in the order of their times, and keeps them until the watermark has passed. This event would be one too many and has become a dead letter. Make the `disorder` of the source shorter, or choose a key with more values.',
  },
  MACH1871: {
    message: 'the match that began with this event was given up: {what} ({bound})',
    help: 'A pattern keeps the events since the beginning of a match that is not decided, and every way in which they could fit. One of these had become too many; looking goes on behind it. Give the pattern a `within`, or make its conditions exclude one another.',
  },
  MACH1860: {
    message: 'there is no answer for this event: {reason}',
    help: 'A look-up with `missing: dead` got no answer: the server did not know of it, failed, or sent something of another type. The event has become a dead letter; send it again when the server can answer, or use `missing: null` to go on without.',
  },
});
