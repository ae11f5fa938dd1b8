import type { CapTake, Choice } from '../../../schemas/index.ts';
import { Packer } from '../../redis/index.ts';
import { distinctTakes } from '../caps.ts';
import type { Commit, OutboxItem, RequestCommit, TimerEntry } from '../port.ts';
import type { StateKeys } from './keys.ts';

/** The one argument of commit.lua, in `room` if that is large enough. */
export function packCommit(keys: StateKeys, commit: Commit, room?: Buffer): Buffer {
  const packer = new Packer(sizeOf(commit), room);
  packer.array(10).string(commit.previous).string(commit.id).number(commit.position);
  if (commit.partitionState === null) packer.boolean(false);
  else packer.bytes(commit.partitionState);
  packBlobs(packer, keys, commit);
  packer.array(commit.outbox.length);
  for (const item of commit.outbox) packItem(packer, keys, item);
  packTimers(packer, keys, commit.timers ?? []);
  packer.number(keys.generation);
  if (commit.activate === undefined) packer.boolean(false);
  else packer.number(commit.activate);
  return packer.finish();
}

/** The one argument of request.lua. */
export function packRequest(request: RequestCommit, generation: number): Buffer {
  const packer = new Packer(request.payload.length * 3 + 1_024).array(7).string(request.payload);
  packChoices(packer, request.choices);
  packer.number(request.keepMs).number(generation);
  if (request.forgetAt === undefined) packer.boolean(false);
  else packer.number(request.forgetAt);
  return packer
    .string(`${request.tenant}:${request.subject}`)
    .number(request.slots ?? 1)
    .finish();
}

/** The one argument of caps_used.lua. */
export function packTakes(takes: readonly CapTake[]): Buffer {
  const packer = new Packer();
  packTakeList(packer, takes);
  return packer.finish();
}

function packBlobs(packer: Packer, keys: StateKeys, commit: Commit): void {
  let deletes = 0;
  for (const [, blob] of commit.blobs) if (blob === null) deletes += 1;
  packer.array((commit.blobs.length - deletes) * 2);
  for (const [key, blob] of commit.blobs) {
    if (blob !== null) packer.string(keys.statePrefix + key).bytes(blob);
  }
  packer.array(deletes);
  if (deletes === 0) return;
  for (const [key, blob] of commit.blobs) if (blob === null) packer.string(keys.statePrefix + key);
}

/** One list for each tenant: its index, what is put into it, what is taken out. */
function packTimers(packer: Packer, keys: StateKeys, timers: readonly TimerEntry[]): void {
  const byTenant = new Map<string, TimerEntry[]>();
  for (const entry of timers) {
    const tenant = entry[0].slice(0, entry[0].indexOf(':'));
    const same = byTenant.get(tenant);
    if (same === undefined) byTenant.set(tenant, [entry]);
    else same.push(entry);
  }
  packer.array(byTenant.size);
  for (const [tenant, entries] of byTenant) {
    const due = entries.filter((entry) => entry[1] !== null);
    packer
      .array(3)
      .string(keys.timers(tenant))
      .array(due.length * 2);
    for (const [key, time] of due) packer.number(time ?? 0).string(key);
    packer.array(entries.length - due.length);
    for (const [key, time] of entries) if (time === null) packer.string(key);
  }
}

function packItem(packer: Packer, keys: StateKeys, item: OutboxItem): void {
  switch (item.kind) {
    case 'batch':
    case 'dead':
    case 'forward':
      packer.array(2).string(item.kind).string(item.payload);
      return;
    case 'transfer':
      packer.array(3).string(item.kind).string(item.payload).string(keys.caps(item.tenant, item.subject));
      return;
    case 'caps':
      packer.array(3).string(item.kind).string(item.caps).string(keys.caps(item.tenant, item.subject));
      return;
    case 'mark':
      packer.array(5).string(item.kind).string(item.cap).string(keys.caps(item.tenant, item.subject));
      packer.number(item.windowMs).number(item.at);
      return;
    case 'expire': {
      const { tenant, subject, at, ttlMs, isBack } = item;
      packer.array(6).string(item.kind).number(at).string(keys.caps(tenant, subject)).number(ttlMs);
      if (isBack) packer.boolean(false);
      else packer.string(keys.timers(tenant));
      packer.string(`${tenant}:${subject}`);
      return;
    }
    case 'decision':
      break;
  }
  packer.array(5).string(item.kind).string(item.payload).string(keys.caps(item.tenant, item.subject));
  packChoices(packer, item.choices);
  packer.number(item.slots ?? 1);
}

function packChoices(packer: Packer, choices: readonly Choice[]): void {
  packer.array(choices.length);
  for (const choice of choices) {
    packer.array(2).string(choice.action);
    packTakeList(packer, distinctTakes(choice.caps));
  }
}

function packTakeList(packer: Packer, takes: readonly CapTake[]): void {
  packer.array(takes.length);
  for (const take of takes) {
    packer.array(7).string(take.cap);
    if (take.session === null) packer.boolean(false);
    else packer.string(take.session);
    packer.number(take.limit);
    if (take.windowMs === null) packer.boolean(false);
    else packer.number(take.windowMs);
    packer.number(take.at);
    if (take.role === undefined) packer.boolean(false);
    else packer.string(take.role);
    if (take.lease === undefined) packer.boolean(false);
    else packer.number(take.lease.bucket);
  }
}

/** About how large the argument will be, so that the buffer is made once. */
function sizeOf(commit: Commit): number {
  let bytes = 1_024 + (commit.partitionState?.length ?? 0);
  for (const [key, blob] of commit.blobs) bytes += key.length * 3 + 64 + (blob?.length ?? 0);
  for (const [key] of commit.timers ?? []) bytes += key.length * 3 + 16;
  for (const item of commit.outbox) bytes += textOf(item).length * 3 + 1_024;
  return bytes;
}

function textOf(item: OutboxItem): string {
  if (item.kind === 'caps') return item.caps;
  return item.kind === 'expire' || item.kind === 'mark' ? item.subject : item.payload;
}
