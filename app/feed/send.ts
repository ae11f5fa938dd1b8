import { PresageError } from '../../core/index.ts';
import type { IngestFeedAnswer } from '../../schemas/api.ts';
import type { InstanceClient } from '../instance/client.ts';
import type { FeedPlan, PlannedEvent } from './plan.ts';
import type { FeedProgress } from './progress.ts';

export interface SendOptions {
  readonly tenant: string;
  readonly source: string;
  /** Events per second, or null for as fast as they are taken. */
  readonly rate: number | null;
  readonly signal: AbortSignal;
  /** Finds the instance anew: after a restart its token is another one. */
  readonly connect: () => Promise<InstanceClient>;
  readonly onProgress: (progress: FeedProgress) => Promise<void>;
  readonly pause: (ms: number) => Promise<void>;
  readonly now: () => number;
  /** Milliseconds without an answer after which the feed gives up. */
  readonly patienceMs: number;
}

const mostEventsPerCall = 2_000;
const mostBytesPerCall = 3_000_000;
const mostRejectsKept = 100;

/**
 * Sends events in order, one call at a time: a call whose outcome is unknown is sent again before anything after it,
 * so the first occurrences in the log always stand in the order of the plan, whatever was killed in between.
 */
export async function sendEvents(
  plan: Pick<FeedPlan, 'from'>,
  start: FeedProgress,
  options: SendOptions,
): Promise<FeedProgress> {
  let progress = start;
  const begunAt = options.now();
  const alreadySent = start.sent;
  const most =
    options.rate === null
      ? mostEventsPerCall
      : Math.max(1, Math.min(mostEventsPerCall, Math.ceil(options.rate / 10)));
  for await (const call of callsOf(plan.from(start.sent), most)) {
    if (options.signal.aborted) break;
    const wait =
      options.rate === null
        ? 0
        : begunAt + ((progress.sent - alreadySent) / options.rate) * 1_000 - options.now();
    if (wait > 0) await options.pause(wait);
    const answer = await sendAll(call, options);
    if (answer === null) break;
    const offsets = { ...progress.offsets };
    for (const [partition, offset] of Object.entries(answer.offsets))
      offsets[partition] = Math.max(offset, offsets[partition] ?? -1);
    const rejected = answer.rejected.map(({ index, code, message }) => ({
      row: call[index]?.row ?? -1,
      code,
      message,
    }));
    progress = {
      ...progress,
      sent: progress.sent + call.length,
      offsets,
      rejected: [...progress.rejected, ...rejected].slice(0, mostRejectsKept),
      rejectedCount: progress.rejectedCount + rejected.length,
    };
    await options.onProgress(progress);
  }
  return progress;
}

async function* callsOf(events: AsyncIterable<PlannedEvent>, most: number): AsyncGenerator<PlannedEvent[]> {
  let call: PlannedEvent[] = [];
  let bytes = 0;
  for await (const planned of events) {
    const size = Buffer.byteLength(JSON.stringify(planned.event));
    if (call.length >= most || (call.length > 0 && bytes + size > mostBytesPerCall)) {
      yield call;
      call = [];
      bytes = 0;
    }
    call.push(planned);
    bytes += size;
  }
  if (call.length > 0) yield call;
}

/** Refused for what stands in one of the events: the others of the call are still good. */
const codesOfContent: ReadonlySet<string> = new Set(['malformed_json', 'body_too_large']);

/**
 * A call that is refused as a whole is sent in halves, in order, until the event that it is refused for stands alone:
 * that one is rejected. null = interrupted; halves that were taken are sent again and are repeats then.
 */
async function sendAll(
  call: readonly PlannedEvent[],
  options: SendOptions,
): Promise<IngestFeedAnswer | null> {
  try {
    return await sendUntilAnswered(call, options);
  } catch (error) {
    if (!(error instanceof PresageError) || !codesOfContent.has(error.code)) throw error;
    const { code, message } = error;
    if (call.length === 1) return { accepted: 0, rejected: [{ index: 0, code, message }], offsets: {} };
  }
  const middle = call.length >> 1;
  const first = await sendAll(call.slice(0, middle), options);
  const second = first && (await sendAll(call.slice(middle), options));
  if (first === null || second === null) return null;
  const offsets = { ...first.offsets };
  for (const [partition, offset] of Object.entries(second.offsets))
    offsets[partition] = Math.max(offset, offsets[partition] ?? -1);
  return {
    accepted: first.accepted + second.accepted,
    rejected: [...first.rejected, ...second.rejected.map((one) => ({ ...one, index: one.index + middle }))],
    offsets,
  };
}

async function sendUntilAnswered(
  call: readonly PlannedEvent[],
  options: SendOptions,
): Promise<IngestFeedAnswer | null> {
  const givesUpAt = options.now() + options.patienceMs;
  for (let wait = 50; !options.signal.aborted; wait = Math.min(wait * 2, 1_000)) {
    try {
      const client = await options.connect();
      return await client.post<IngestFeedAnswer>('/v1/ingest', {
        tenant: options.tenant,
        source: options.source,
        events: call.map(({ event }) => event),
      });
    } catch (error) {
      // 401: the instance was restarted between finding it and calling it.
      const isWorthATry =
        error instanceof PresageError &&
        (error.retriable || error.details.status === 401 || error.code === 'instance_missing');
      if (!isWorthATry) throw error;
      if (options.now() > givesUpAt) {
        throw new PresageError(
          'instance_unreachable',
          `Presage has not taken events for ${options.patienceMs / 1_000} s (${error.message}). Run the same command again to go on where this stopped.`,
          { cause: error },
        );
      }
      await options.pause(wait);
    }
  }
  return null;
}
