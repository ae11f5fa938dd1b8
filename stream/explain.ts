import { PresageError } from '../core/index.ts';
import { roomOf } from '../decisions/index.ts';
import type { DecideRequest } from '../schemas/api.ts';
import type { CapSeen, Choice, DecisionRecord, Resolution, SlotResolution } from '../schemas/index.ts';
import { makeRequestDecider, type RequestParts } from './request.ts';
import { movedMark, type StateStore } from './state/port.ts';

/** Long enough for the champion to answer; nobody waits for the page. */
const deadlineMs = 5_000;

export type Explain = (request: Omit<DecideRequest, 'deadlineMs'>) => Promise<DecisionRecord[]>;

/**
 * What would be decided for a subject now, with every candidate's verdict: the request path itself, with a store that
 * looks at caps and takes and publishes nothing. `recorded` is false. Throws as the request path does.
 */
export function makeExplainer(parts: Omit<RequestParts, 'admission' | 'metrics'>): Explain {
  const decide = makeRequestDecider({ ...parts, store: lookingOnly(parts.store) });
  return async (request) => {
    const records = await decide({ ...request, deadlineMs });
    if (records.some(({ recorded }) => !recorded)) {
      throw new PresageError('state_unavailable', 'The state store does not answer; try again shortly.', {
        retriable: true,
      });
    }
    return records.map((record) => ({ ...record, recorded: false }));
  };
}

function lookingOnly(store: StateStore): StateStore {
  const look: StateStore['request'] = async (partition, { tenant, subject, choices, slots }) => {
    const [blob] = await store.load(partition, [`${tenant}:${subject}`]);
    if (blob?.[0] === movedMark) return { kind: 'moved' };
    const takes = choices.flatMap(({ caps }) => caps);
    const used = await store.capsUsed(partition, tenant, subject, takes);
    return { kind: 'decided', offset: -1, resolution: roomFor(choices, used, slots) };
  };
  // Not a copy: the store that it stands for may become another.
  return new Proxy(store, {
    get: (target, name) => (name === 'request' ? look : Reflect.get(target, name)),
  });
}

/** What the commit would find; `used` stands beside the takes of all choices, in order. */
function roomFor(choices: readonly Choice[], used: readonly number[], slots = 1): Resolution {
  let at = 0;
  const capsSeen: CapSeen[] = [];
  const free: number[] = [];
  for (const [index, { action, caps }] of choices.entries()) {
    const seen = caps.map(({ cap, limit }) => ({ cap, action, used: used[at++] ?? 0, limit }));
    capsSeen.push(...seen);
    if (seen.every((one) => one.used < one.limit)) free.push(index);
  }
  const actions = choices.map(({ action }) => action);
  const room = roomOf(free, actions, choices, capsSeen);
  const resolved: SlotResolution[] = [];
  const earlier: number[] = [];
  while (resolved.length < slots) {
    const available = room(earlier);
    const chosen = available[0] ?? -1;
    resolved.push({ chosen, available });
    if (chosen < 0 || actions[chosen] === '') break;
    earlier.push(chosen);
  }
  return { slots: resolved, capsSeen };
}
