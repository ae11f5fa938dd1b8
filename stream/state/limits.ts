import { PresageError } from '../../core/index.ts';
import type { Choice } from '../../schemas/index.ts';
import { isMark, mostPackedBytes } from './caps.ts';
import type { Commit, RequestCommit } from './port.ts';

/** What one commit, request or read may hold at most; beyond it a caller has a mistake, not a large workload. */
export const limits = {
  /** Redis's Lua can spread no more than 8,000 values over one call, and a blob takes two. */
  blobs: 3_000,
  blobBytes: 64 * 1_024,
  /** Each subject of a commit may move its entry, and so may as many that are only looked at. */
  timers: 6_000,
  partitionStateBytes: 1_024 * 1_024,
  outboxItems: 10_000,
  /** Room for the dead letter of the log's largest record, and for the ranking of a full placement with its contents. */
  payloadBytes: 4 * 1_024 * 1_024,
  choices: 256,
  slots: 16,
  takesPerChoice: 64,
  /** Of all choices at once, for who only looks. */
  takesAsked: 16_384,
  /** A ledger keeps 64 buckets, and looks this far on either side. */
  leaseSpans: 24,
  /** Times are written as whole numbers of at most 14 digits: until the year 5138. */
  time: 1e14,
} as const;

/** Throws PresageError `state_invalid` or `blob_too_large` when a commit could not be made as it is. */
export function checkCommit(partition: number, commit: Commit): void {
  const where = `commit of partition ${partition}`;
  checkCommitId(where, commit.id);
  if (!Number.isSafeInteger(commit.position) || commit.position < 0)
    throw invalid(where, `position ${commit.position} is not a whole number`);
  if (commit.blobs.length > limits.blobs)
    throw invalid(where, `${commit.blobs.length} blobs are more than ${limits.blobs}`);
  for (const [key, blob] of commit.blobs) {
    if (blob !== null && blob.length > limits.blobBytes) throw tooLarge(where, key, blob.length);
  }
  if (commit.partitionState !== null && commit.partitionState.length > limits.partitionStateBytes)
    throw invalid(where, `partition state of ${commit.partitionState.length} bytes`);
  checkTimers(where, commit);
  for (const generation of [commit.generation ?? 0, commit.activate ?? 0])
    if (!isGeneration(generation)) throw invalid(where, `${generation} is no generation`);
  if (commit.outbox.length > limits.outboxItems)
    throw invalid(where, `${commit.outbox.length} outbox items are more than ${limits.outboxItems}`);
  for (const item of commit.outbox) {
    if (item.kind === 'caps') checkPackedCaps(where, item.caps);
    else if (item.kind === 'expire') checkExpiry(where, item);
    else if (item.kind === 'mark') checkMark(where, item);
    else checkPayload(where, item.payload);
    if (item.kind === 'decision') checkChoices(where, item);
  }
}

function checkTimers(where: string, { timers = [] }: Commit): void {
  if (timers.length > limits.timers)
    throw invalid(where, `${timers.length} timers are more than ${limits.timers}`);
  for (const [key, due] of timers) {
    if (due !== null && !isTime(due)) throw invalid(where, `the timer of ${key} is due at ${due}`);
  }
}

function checkExpiry(
  where: string,
  { tenant, subject, at, ttlMs }: Extract<Commit['outbox'][number], { kind: 'expire' }>,
): void {
  if (!isTime(at) || !isTime(ttlMs))
    throw invalid(where, `${tenant}:${subject} cannot expire at ${at} after ${ttlMs} ms`);
}

function checkMark(where: string, mark: Extract<Commit['outbox'][number], { kind: 'mark' }>): void {
  if (!isMark(mark.cap) || !isTime(mark.at) || !isTime(mark.windowMs) || mark.windowMs === 0)
    throw invalid(where, `${mark.cap} cannot be marked for ${mark.windowMs} ms from ${mark.at} on`);
}

const isLease = ({ bucket, spans }: NonNullable<Choice['caps'][number]['lease']>, session: string | null) =>
  session === null &&
  Number.isSafeInteger(bucket) &&
  bucket >= 0 &&
  Number.isSafeInteger(spans) &&
  spans >= 0 &&
  spans <= limits.leaseSpans;

const isGeneration = (number: number): boolean => Number.isSafeInteger(number) && number >= 0 && number < 1e9;

const isTime = (time: number): boolean => Number.isSafeInteger(time) && time >= 0 && time < limits.time;

/** Throws PresageError `state_invalid` when a request could not be made as it is. */
export function checkRequest(partition: number, request: RequestCommit): void {
  const where = `request ${request.idempotencyKey} in partition ${partition}`;
  if (request.idempotencyKey === '') throw invalid(where, 'the idempotency key is empty');
  if (!Number.isSafeInteger(request.keepMs) || request.keepMs < 1)
    throw invalid(where, `the answer cannot be kept for ${request.keepMs} ms`);
  if (request.forgetAt !== undefined && !isTime(request.forgetAt))
    throw invalid(where, `caps cannot be looked at at ${request.forgetAt}`);
  checkPayload(where, request.payload);
  checkChoices(where, request);
}

/** Throws PresageError `state_invalid` when a take is not one that can be counted. */
export function checkTakes(where: string, takes: Choice['caps'], most: number = limits.takesPerChoice): void {
  if (takes.length > most) throw invalid(where, `${takes.length} caps at once are more than ${most}`);
  for (const { cap, session, windowMs, limit, at, role, lease } of takes) {
    if (lease !== undefined && !isLease(lease, session)) throw invalid(where, `cap ${cap} can't be leased`);
    if (role === 'after' && session !== null) throw invalid(where, `cap ${cap} has no window`);
    if ((session === null) === (windowMs === null))
      throw invalid(where, `cap ${cap} needs either a session or a window`);
    if (windowMs !== null && !(Number.isSafeInteger(windowMs) && windowMs > 0 && windowMs < limits.time))
      throw invalid(where, `the window of cap ${cap} is ${windowMs} ms`);
    if (!Number.isSafeInteger(limit) || limit < 0)
      throw invalid(where, `the limit of cap ${cap} is ${limit}`);
    if (!Number.isSafeInteger(at) || at < 0 || at >= limits.time)
      throw invalid(where, `cap ${cap} cannot be taken at time ${at}`);
  }
}

function checkChoices(where: string, asked: Pick<RequestCommit, 'choices' | 'slots'>): void {
  const { choices, slots = 1 } = asked;
  if (!Number.isSafeInteger(slots) || slots < 1 || slots > limits.slots)
    throw invalid(where, `it cannot have ${slots} slots`);
  if (choices.length > limits.choices)
    throw invalid(where, `${choices.length} choices are more than ${limits.choices}`);
  for (const choice of choices) checkTakes(where, choice.caps);
}

function checkPackedCaps(where: string, packed: string): void {
  if (!isPackedCaps(packed)) throw invalid(where, 'the caps to add are not what a transfer carries');
}

/** Whether a text is caps as a transfer carries them: the fields of the hash in Redis. */
export function isPackedCaps(packed: string): boolean {
  if (Buffer.byteLength(packed) > mostPackedBytes) return false;
  let fields: unknown;
  try {
    fields = JSON.parse(packed);
  } catch {
    return false;
  }
  if (typeof fields !== 'object' || fields === null || Array.isArray(fields)) return false;
  return Object.entries(fields).every(([field, value]) => Array.isArray(value) && isCapsField(field, value));
}

function isCapsField(field: string, value: readonly unknown[]): boolean {
  if (field === 'f') return value.length === 2 && value.every(isCapsNumber);
  if (field.startsWith('w:')) return value.length >= 2 && value.every(isCapsNumber) && Number(value[0]) > 0;
  if (!field.startsWith('s:') || !isCapsNumber(value[0])) return false;
  return value
    .slice(1)
    .every((part, index) =>
      Array.isArray(part)
        ? part.length === 2 && typeof part[0] === 'string' && isCapsNumber(part[1])
        : index === 0 && isCapsNumber(part),
    );
}

const isCapsNumber = (value: unknown): boolean =>
  Number.isSafeInteger(value) && Number(value) >= -1 && Number(value) < limits.time;

function checkCommitId(where: string, id: string): void {
  if (!/^[!-~]{1,64}$/.test(id))
    throw invalid(where, `"${id}" is no commit id (1 to 64 printable characters)`);
}

function checkPayload(where: string, payload: string): void {
  // A UTF-16 unit is at most three bytes: only long payloads need counting.
  if (payload.length * 3 > limits.payloadBytes && Buffer.byteLength(payload) > limits.payloadBytes)
    throw invalid(where, `a payload of ${Buffer.byteLength(payload)} bytes is over ${limits.payloadBytes}`);
}

function tooLarge(where: string, key: string, bytes: number): PresageError {
  return new PresageError(
    'blob_too_large',
    `The ${where} was not made: the state of ${key} has ${bytes} bytes, over the ${limits.blobBytes} allowed. Lower the number of keys or buckets of its features.`,
    { details: { key, bytes } },
  );
}

const invalid = (where: string, why: string): PresageError =>
  new PresageError('state_invalid', `The ${where} was not made: ${why}.`);
