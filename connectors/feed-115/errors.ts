import { defineErrors } from '../../runtime/stream/index.ts';

export const feedErrors = defineErrors({
  MACH2101: {
    message: 'feed-115 cannot listen on {address}: {reason}',
    help: 'The port is taken, the address is not of this machine, or the port needs more rights (below 1024). Choose another with `listen`.',
  },
  MACH2102: {
    message: 'the request names no usable centre: {reason}',
    help: 'The first request of a Publish stream, and every Submit, names its centre: a short stable name of letters, digits and . _ : - (at most 128), such as "115-hcm". Later requests of a stream may leave it out, not change it.',
  },
  MACH2103: {
    message: 'position {found} cannot follow: the next position of {centre} is {expected}',
    help: 'Positions are consecutive and items are sent in order. A gap would be a loss, so the stream ends and nothing of the request is stored. Connect again: Resume says where to go on. A centre whose counter was lost goes on after the position in Resume.',
  },
  MACH2104: {
    message: 'the request has {items} items, more than the {items_max} allowed',
    help: 'Cut it into several; a few hundred items each are best.',
  },
  MACH2105: {
    message: 'another stream of the centre {centre} has taken over',
    help: 'One stream per centre: the newest wins, so that a centre which lost its connection need not wait for the old one to time out. Two senders with one name take turns for ever: give each its own name.',
  },
  MACH2106: {
    message: 'the items could not be stored: {reason}',
    help: 'The log did not confirm them in time. Nothing unacknowledged is lost as long as the centre keeps it: connect again and go on after the position in Resume.',
  },
  MACH2107: {
    message: 'the engine is stopping',
    help: 'What was received has been stored and acknowledged. Connect again in a while.',
  },
  MACH2108: {
    message: 'the server has {centre} only up to position {durable}, but had acknowledged {acknowledged}',
    help: 'The log of the engine was emptied or replaced by an older one. The items between are no longer kept by this client; send them again from the records of the centre.',
  },
  MACH2109: {
    message: 'no valid token',
    help: 'The server asks for `authorization: Bearer TOKEN` in the metadata of every call, with one of its tokens (option `tokens`).',
  },
  MACH2110: {
    message: '{field} is missing',
    help: 'The item became a dead letter. The proto says which fields are required.',
  },
  MACH2111: {
    message: '{field} is {value}, outside {minimum} to {maximum}',
    help: 'The item became a dead letter. Coordinates are WGS 84 degrees, priorities 1 to 5 (0: not known), enums as in the proto.',
  },
  MACH2112: {
    message: '{field} is {value}, which is {reason}',
    help: 'The item became a dead letter. Times are milliseconds since 1970. One that lies further in the future than option `ahead` is a wrong clock: it would close the windows of everyone else too early.',
  },
  MACH2113: {
    message: '{field} has {length} characters, more than the {length_max} allowed',
    help: 'The item became a dead letter. Identities and codes have at most 128 characters, addresses and reasons 1 024.',
  },
  MACH2114: {
    message: 'the item is neither call nor unit nor diversion{reason}',
    help: 'The item became a dead letter. It was made with a newer version of the proto, or is empty.',
  },
  MACH2115: {
    message: 'the line is not a JSON object: {reason}',
    help: 'A file for `mach decode feed-115` has one item on each line, as JSON of the proto: {"call": {"call_id": "C1", "received_ms": 1767225600000}}.',
  },
  MACH2116: {
    message: '{what}: {number} at once, no more are allowed',
    help: 'The bound keeps the server alive under a flood. Use fewer connections, or raise option `streams`.',
  },
  MACH2117: {
    message: 'the TLS files cannot be used: {reason}',
    help: '`tls` needs `cert` and `key` as PEM (a path, or the text itself), and `ca` when client certificates are required.',
  },
  MACH2118: {
    message: 'the stream named no centre within {timeout_ms} ms',
    help: 'Send the first request, with the centre and no items, right after the stream is opened.',
  },
});

export type FeedErrorCode = keyof typeof feedErrors.list;
