import { contentId, partitionOf } from '../../core/index.ts';
import {
  forwardProperties,
  type MovedFrom,
  type StoredEvent,
  systemTypes,
  transferProperties,
} from '../../schemas/index.ts';
import { isPackedCaps } from '../state/limits.ts';

/** An event that was moved to this partition from the one of its anonymous id. */
export interface Arrival {
  readonly from: MovedFrom;
  /** What the anonymous id had, for a transfer; null for an event that follows one. */
  readonly transfer: {
    readonly state: { readonly blob: string; readonly layout: string } | null;
    readonly caps: string;
  } | null;
}

/** The largest event, in bytes of its record, that is moved: with state and caps beside it, a record must have room. */
export const mostMovedBytes = 256 * 1_024;

interface Move {
  readonly tenant: string;
  /** The user it goes to. */
  readonly to: string;
  readonly from: MovedFrom;
  /** The event as its record has it: JSON. */
  readonly event: string;
}

/** The `$forward` record of an event, as the log gets it. */
export const forwardOf = (move: Move): string =>
  `${envelope(systemTypes.forward, move)},"properties":{"from":${JSON.stringify(move.from)},"event":${move.event}}}`;

/** The `$transfer` record, all but the caps, which only the commit knows. */
export const transferOf = (
  move: Move,
  state: { readonly blob: Uint8Array; readonly layout: string } | null,
): string => {
  const packed =
    state === null ? null : { blob: Buffer.from(state.blob).toString('base64'), layout: state.layout };
  return `${envelope(systemTypes.transfer, move)},"properties":{"from":${JSON.stringify(move.from)},"event":${move.event},"state":${JSON.stringify(packed)}}}`;
};

/** Puts the caps into what `transferOf` wrote. */
export const withCaps = (transfer: string, caps: string): string =>
  `${transfer.slice(0, -2)},"caps":${JSON.stringify(caps)}}}`;

function envelope(type: string, { tenant, to, from }: Move): string {
  const { version, partition, position, time } = from;
  const head = {
    v: 1,
    id: contentId('move', String(version), String(partition), String(position)),
    tenant,
    type,
    userId: to,
    time,
    source: 'engine',
  } satisfies Omit<StoredEvent, 'properties'>;
  return JSON.stringify(head).slice(0, -1);
}

export const isMove = (type: string): boolean =>
  type === systemTypes.transfer || type === systemTypes.forward;

/**
 * What a `$transfer` or `$forward` record brings: the event that was moved, and where it came from; or why it is none.
 * States only ever go from an anonymous id to a known user, one step, so there can be no cycle.
 */
export function openMove(
  record: StoredEvent,
  partitions: number,
  logVersion: number,
): { readonly event: StoredEvent; readonly arrival: Arrival } | string {
  const isTransfer = record.type === systemTypes.transfer;
  const parsed = (isTransfer ? transferProperties : forwardProperties).safeParse(record.properties);
  if (!parsed.success) {
    const issue = parsed.error.issues[0];
    return `${['properties', ...(issue?.path ?? [])].join('.')}: ${issue?.message}`;
  }
  const { from, event } = parsed.data;
  if (record.source !== 'engine') return 'only the engine moves events';
  if (record.userId === undefined || record.anonymousId !== undefined) return 'it goes to no known user';
  if (event.tenant !== record.tenant) return `its event is of tenant "${event.tenant}"`;
  if (event.anonymousId !== from.anonymousId) return 'its event is not of the anonymous id it comes from';
  // What moved before the log was divided as it is comes from where its anonymous id was then.
  if (from.version === logVersion && partitionOf(from.anonymousId, partitions) !== from.partition)
    return 'it comes from a foreign partition';
  const isIdentify = event.type === 'identify' && event.userId === record.userId;
  if (isTransfer ? !isIdentify : event.userId !== undefined && !isIdentify)
    return 'its event is about another user';
  if (isMove(event.type) || event.type === systemTypes.control) return `its event is a ${event.type}`;
  if (!isTransfer) return { event, arrival: { from, transfer: null } };
  const transfer = transferProperties.parse(record.properties);
  if (!isPackedCaps(transfer.caps)) return 'its caps cannot be read';
  return { event, arrival: { from, transfer: { state: transfer.state, caps: transfer.caps } } };
}
