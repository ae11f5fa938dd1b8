export { type Link, linkedUser, linkIn } from './links.ts';
export { type Arrival, isMove, openMove } from './records.ts';
export { makeRelay, type RelayParts, relayReader } from './relay.ts';
