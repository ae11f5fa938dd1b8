import type { CapTake, Choice } from '../../../schemas/index.ts';
import { Packer } from '../../redis/index.ts';
import { distinctTakes } from '../caps.ts';
import type { Commit, OutboxItem, RequestCommit } from '../port.ts';
import type { StateKeys } from './keys.ts';

/** The one argument of commit.lua. */
export function packCommit(keys: StateKeys, commit: Commit): Buffer {
  const packer = new Packer(sizeOf(commit));
  packer.array(7).string(commit.previous).string(commit.id).number(commit.position);
  if (commit.partitionState === null) packer.boolean(false);
  else packer.bytes(commit.partitionState);
  packBlobs(packer, keys, commit);
  packer.array(commit.outbox.length);
  for (const item of commit.outbox) packItem(packer, keys, item);
  return packer.finish();
}

/** The one argument of request.lua. */
export function packRequest(request: RequestCommit): Buffer {
  const packer = new Packer(request.payload.length * 3 + 1_024).array(3).string(request.payload);
  packChoices(packer, request.choices);
  return packer.number(request.keepMs).finish();
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

function packItem(packer: Packer, keys: StateKeys, item: OutboxItem): void {
  if (item.kind !== 'decision') {
    packer.array(2).string(item.kind).string(item.payload);
    return;
  }
  packer.array(4).string(item.kind).string(item.payload).string(keys.caps(item.tenant, item.subject));
  packChoices(packer, item.choices);
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
    packer.array(5).string(take.cap);
    if (take.session === null) packer.boolean(false);
    else packer.string(take.session);
    packer.number(take.limit);
    if (take.windowMs === null) packer.boolean(false);
    else packer.number(take.windowMs);
    packer.number(take.at);
  }
}

/** About how large the argument will be, so that the buffer is made once. */
function sizeOf(commit: Commit): number {
  let bytes = 1_024 + (commit.partitionState?.length ?? 0);
  for (const [key, blob] of commit.blobs) bytes += key.length * 3 + 64 + (blob?.length ?? 0);
  for (const item of commit.outbox) bytes += item.payload.length * 3 + 512;
  return bytes;
}
