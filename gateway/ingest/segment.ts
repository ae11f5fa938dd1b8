import { type CallName, callNames, type SegmentMessage, segmentMessage } from '../../schemas/index.ts';
import { type Checked, kept, nameOfType, refused, wrongType } from './reject.ts';
import { skewOf } from './skew.ts';
import { readTime } from './time.ts';

/** What a call says, before the workspace has been asked about it. */
export interface ReceivedEvent {
  readonly id: string | null;
  readonly type: string;
  readonly userId: string | undefined;
  readonly anonymousId: string | undefined;
  readonly session: string | undefined;
  readonly time: number;
  readonly properties: Readonly<Record<string, unknown>>;
  readonly context: Readonly<Record<string, unknown>> | undefined;
}

/** What a batch says for all of its calls. */
export interface BatchParts {
  /** Lies under a call's own context. */
  readonly context: Properties | null;
  /** What the sender's clock said; a call's own counts before it. */
  readonly sentAt: unknown;
}

type Properties = Readonly<Record<string, unknown>>;
const none: Properties = {};

/**
 * One call of the Segment API as an event. `call` is the route's, or null in a batch, where the message says it.
 */
export function readMessage(
  json: unknown,
  call: CallName | null,
  receivedAt: number,
  batch: BatchParts | null,
): Checked<ReceivedEvent> {
  if (typeof json !== 'object' || json === null || Array.isArray(json)) {
    return wrongType('event', 'object', nameOfType(json));
  }
  const parsed = segmentMessage.safeParse(json);
  if (!parsed.success) return fromIssue(json, parsed.error.issues[0]);
  const message = parsed.data;

  const name = call ?? message.type;
  if (!isCall(name)) {
    return refused('unknown_call', `type: expected one of ${callNames.join(', ')}, got ${shown(name)}.`, {
      path: 'type',
    });
  }
  const type = name === 'track' ? message.event : name;
  if (type === undefined || type === null || type === '') {
    return refused('missing_event', 'A track call needs "event", the name of what happened.', {
      path: 'event',
    });
  }
  if (type.startsWith('$')) {
    return refused('reserved_type', `"${type}": names that begin with $ are kept for Presage's own events.`, {
      path: 'event',
    });
  }
  const userId = idOf(message.userId);
  const anonymousId = idOf(message.anonymousId);
  if (userId === undefined && anonymousId === undefined) {
    return refused('missing_subject', 'Send userId or anonymousId: an event has to be about someone.');
  }
  const time = timeOf(message, receivedAt, batch);
  if (!time.ok) return time;
  const context = contextOf(message.context, batch?.context ?? null);
  return kept({
    id: idOf(message.messageId) ?? null,
    type,
    userId,
    anonymousId,
    session: sessionOf(context, message.integrations),
    time: time.value,
    properties: propertiesOf(name, message),
    context,
  });
}

/**
 * When it happened by a right clock, as Segment finds it: received at - (sent at - timestamp). Who sends another time
 * beside the original one has corrected it already.
 */
function timeOf(message: SegmentMessage, receivedAt: number, batch: BatchParts | null): Checked<number> {
  const { timestamp, originalTimestamp } = message;
  const isCorrected = timestamp && originalTimestamp && timestamp !== originalTimestamp;
  const skew = isCorrected ? 0 : skewOf(message.sentAt ?? batch?.sentAt, receivedAt);
  return readTime(timestamp ?? originalTimestamp, receivedAt, skew);
}

function propertiesOf(call: CallName, message: SegmentMessage): Properties {
  switch (call) {
    case 'track':
      return message.properties ?? none;
    case 'page':
    case 'screen':
      return {
        ...message.properties,
        ...(message.name ? { name: message.name } : {}),
        ...(message.category ? { category: message.category } : {}),
      };
    case 'identify':
      return message.traits ?? none;
    case 'group': {
      const groupId = idOf(message.groupId);
      return { ...message.traits, ...(groupId === undefined ? {} : { groupId }) };
    }
    case 'alias': {
      const previousId = idOf(message.previousId);
      return previousId === undefined ? none : { previousId };
    }
  }
}

function contextOf(own: Properties | null | undefined, batch: Properties | null): Properties | undefined {
  if (batch === null) return own ?? undefined;
  return own ? { ...batch, ...own } : batch;
}

/**
 * The client's session: `context.sessionId`, or what a destination's plug-in put into `integrations`
 * (`{"Actions Amplitude": {"session_id": 1630000000000}}`).
 */
function sessionOf(
  context: Properties | undefined,
  integrations: Properties | null | undefined,
): string | undefined {
  const own = sessionText(context?.sessionId);
  if (own !== undefined || !integrations) return own;
  let looked = 0;
  for (const name in integrations) {
    if (looked++ === 20) break;
    const settings = integrations[name];
    if (typeof settings !== 'object' || settings === null) continue;
    const { session_id, sessionId } = settings as Properties;
    const found = sessionText(session_id ?? sessionId);
    if (found !== undefined) return found;
  }
  return undefined;
}

function sessionText(value: unknown): string | undefined {
  if (typeof value === 'number' && Number.isFinite(value)) return String(value);
  return typeof value === 'string' && value.length > 0 && value.length <= 256 ? value : undefined;
}

const idOf = (value: string | number | null | undefined): string | undefined =>
  value === null || value === undefined || value === '' ? undefined : String(value);

const isCall = (name: unknown): name is CallName => callNames.some((call) => call === name);
const shown = (value: unknown): string =>
  value === undefined || value === null ? 'nothing' : JSON.stringify(value).slice(0, 64);

function fromIssue(
  json: object,
  issue: { readonly code?: string; readonly path: readonly PropertyKey[] } | undefined,
): Checked<never> {
  const path = issue?.path.map(String).join('.') ?? '';
  const field = path.split('.', 1)[0] ?? '';
  const value = (json as Properties)[field];
  const expected = expectedOf(field);
  if (typeof value === 'string' && expected !== 'object') {
    return refused('too_long', `${path}: ${value.length} characters, more than fit.`, { path });
  }
  return wrongType(path, expected, nameOfType(value));
}

function expectedOf(field: string): string {
  switch (field) {
    case 'properties':
    case 'traits':
    case 'context':
    case 'integrations':
      return 'object';
    case 'timestamp':
    case 'originalTimestamp':
      return 'ISO 8601 text or Unix milliseconds';
    default:
      return 'string';
  }
}
