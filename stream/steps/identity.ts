import { aliasIsRefused, hasHalfPair, messageOf, rawIdOf } from '../../core/index.ts';
import { type Batch, dead, drop, ok, type StepResult } from '../batch.ts';
import {
  type FeatureSet,
  hasApplied,
  knowsEvent,
  moveTo,
  noteApplied,
  noteSighting,
  type SubjectState,
  usedAgain,
} from '../features/index.ts';
import { isVouched } from '../identity/links.ts';
import { type Arrival, forwardOf, mostMovedBytes, transferOf } from '../identity/records.ts';
import type { Item } from '../item.ts';
import { jsonText } from '../schemas/framing.ts';
import { limits } from '../state/limits.ts';

/**
 * A relay appends at least once, and what a partition sends here in order: what it brings again is listed and goes no
 * further, whether or not its user has been forgotten since. Only of this version of the log: what is made anew from
 * events of one before it comes in another order.
 */
export function recogniseRedelivery(logVersion: number) {
  return function recognise(item: Item, batch: Batch): StepResult {
    if (item.arrival === null) return ok;
    const { state } = item;
    if (state === null || item.record.offset <= state.position) return ok;
    const { from } = item.arrival;
    const { arrived } = batch.partitionState;
    const isBelow = from.version === logVersion && from.position <= (arrived.get(from.partition) ?? -1);
    if (!isBelow && !hasApplied(state, from)) return ok;
    batch.redelivered.push(item.record.offset);
    return drop;
  };
}

/**
 * `identify` makes an anonymous id's state a known user's (docs/identity.md): here, in the anonymous id's partition, the
 * state is closed and sent on with the event; later events of that id are forwarded. There, in the user's, what arrives
 * is added to the user's own before the event itself goes on.
 */
export function followIdentity(features: FeatureSet, logVersion: number, ttlMs: number) {
  return function follow(item: Item, batch: Batch): StepResult {
    const { record, state } = item;
    if (item.type === 'alias') return dead('merge_of_known', aliasIsRefused);
    if (state === null || record.offset <= state.position) return ok;
    if (item.arrival !== null) return arrive(item, item.arrival, state, batch);
    if (item.subject.startsWith('u:')) {
      const { anonymousId } = item;
      if (anonymousId !== null) noteSighting(state, anonymousId, item.time);
      return ok;
    }
    const user = item.type === 'identify' ? item.event.userId : undefined;
    if (state.moved === null && user === undefined) return ok;
    if (user !== undefined && user !== state.moved?.to) return close(item, user, state, batch);
    const sent = send(item, state.moved?.to ?? '', null, batch);
    const isNewlyVouched = user !== undefined && isVouched(item.event);
    if (sent.kind === 'drop' && usedAgain(state, item.time, isNewlyVouched, ttlMs))
      batch.changed.add(item.key);
    return sent;
  };

  /** The state goes to the user; of one that had gone to another user before, nothing is left that could go. */
  function close(item: Item, user: string, state: SubjectState, batch: Batch): StepResult {
    const { event, record, time } = item;
    if (knowsEvent(state, event.id)) {
      batch.duplicates.push(record.offset);
      return drop;
    }
    if (hasHalfPair(user))
      return dead('bad_subject', 'The id of the user has half a surrogate pair: it is no text.');
    const sent = send(item, user, state, batch);
    if (sent.kind !== 'drop') return sent;
    moveTo(features, state, user, { id: event.id, time, isVouched: isVouched(event) }, record.offset);
    batch.changed.add(item.key);
    return sent;
  }

  /** Publishes the event for the user's partition; with the state that it closes, if it does. */
  function send(item: Item, to: string, closed: SubjectState | null, batch: Batch): StepResult {
    const { record, tenant, subject, time } = item;
    if (record.to - record.from > mostMovedBytes)
      return dead(
        'too_large_to_move',
        `The event has ${record.to - record.from} bytes; at most ${mostMovedBytes} can go on to the user that its anonymous id became.`,
      );
    const move = {
      tenant,
      to,
      from: {
        version: logVersion,
        partition: batch.partition,
        position: record.offset,
        appendedAt: record.appendedAt,
        anonymousId: rawIdOf(subject),
        time,
      },
      event: jsonText(record),
    };
    const after = batch.questions.length;
    if (closed === null) batch.moves.push({ after, item: { kind: 'forward', payload: forwardOf(move) } });
    else {
      const payload = transferOf(move, stateOf(closed));
      batch.moves.push({ after, item: { kind: 'transfer', payload, tenant, subject } });
    }
    batch.forwarded.push(record.offset);
    // How late it is counts where it goes.
    if (item.isLate) batch.late.pop();
    if (batch.clamped.at(-1) === record.offset) batch.clamped.pop();
    return drop;
  }

  /** What a transfer carries: nothing of a state that never was, went before, or has outgrown a blob. */
  function stateOf(closed: SubjectState): { blob: Uint8Array; layout: string } | null {
    if (closed.moved !== null || closed.position < 0) return null;
    const blob = features.encode(closed);
    return blob.length > limits.blobBytes ? null : { blob, layout: features.layoutDescription };
  }

  function arrive(item: Item, { from, transfer }: Arrival, state: SubjectState, batch: Batch): StepResult {
    noteApplied(state, from, item.time, transfer !== null);
    batch.changed.add(item.key);
    if (from.version === logVersion) {
      batch.partitionState.arrived.set(from.partition, from.position);
      batch.partitionState.changed = true;
    }
    if (transfer === null) return ok;
    if (transfer.state !== null) {
      const arrived = readState(transfer.state);
      if (typeof arrived === 'string') return dead('state_unreadable', arrived);
      batch.timersRefused += features.merge(state, arrived);
    }
    if (transfer.caps !== '{}') {
      const { tenant } = item;
      batch.moves.push({
        after: batch.questions.length,
        item: { kind: 'caps', tenant, subject: item.subject, caps: transfer.caps },
      });
    }
    return ok;
  }

  function readState({ blob, layout }: { blob: string; layout: string }): SubjectState | string {
    const bytes = Buffer.from(blob, 'base64');
    try {
      // It may have been written under another workspace than this one was told of.
      features.learnLayout(layout);
      const state = features.decode(bytes);
      return state.moved === null ? state : 'What it carries is no state, but a link to one.';
    } catch (error) {
      return `The state that it carries cannot be read: ${messageOf(error)}`;
    }
  }
}
