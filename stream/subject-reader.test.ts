import { describe, expect, it } from 'vitest';
import { asSubjectId } from '../core/index.ts';
import { features, identify, partitions, rig, view } from '../tests/support/identity.ts';
import { makeSubjectReader } from './subject-reader.ts';

const subjects = (...names: string[]) => names.map((name) => asSubjectId(name));

describe('the reader of subjects', () => {
  it('gives the features of many, in their order, with null for those nothing is known of', async () => {
    const stream = rig();
    const users = Array.from({ length: 30 }, (_, i) => `user-${i}`);
    await stream.send(
      ...users.flatMap((userId, i) => [view(`a${i}`, { userId }), view(`b${i}`, { userId }, i)]),
    );
    await stream.settle();
    const reader = makeSubjectReader({ ...stream, features, partitions });
    const asked = subjects('u:stranger', ...users.map((user) => `u:${user}`).reverse(), 'a:stranger');
    const read = await reader.read('acme', asked, 'newest');
    expect(read.map((each) => each?.subject ?? null)).toEqual([null, ...asked.slice(1, -1), null]);
    for (const [i, each] of read.slice(1, -1).entries()) {
      const state = await stream.stateOf(asked[i + 1] as string);
      expect(each?.features).toEqual(features.read(state!, state!.newest));
      expect(each?.at).toBe(state!.newest);
    }
    expect(await reader.read('bolt', subjects('u:user-1'), 'newest')).toEqual([null]);
  });

  it('asks each partition once', async () => {
    const stream = rig();
    await stream.send(...Array.from({ length: 30 }, (_, i) => view(`${i}`, { userId: `user-${i}` })));
    await stream.settle();
    let loads = 0;
    const load: typeof stream.store.load = (...args) => {
      loads++;
      return stream.store.load(...args);
    };
    const reader = makeSubjectReader({ ...stream, store: { load }, features, partitions });
    await reader.read('acme', subjects(...Array.from({ length: 30 }, (_, i) => `u:user-${i}`)), 'now');
    expect(loads).toBe(partitions);
  });

  it('follows an anonymous id to the user that it has become, and says which was asked for', async () => {
    const stream = rig();
    await stream.send(view('v', { anonymousId: 'anon' }), view('other', { userId: 'bob' }));
    await stream.send(identify('i', 'anon', 'ann', 1));
    await stream.settle();
    const reader = makeSubjectReader({ ...stream, features, partitions });
    const [anonymous, bob, ann] = await reader.read('acme', subjects('a:anon', 'u:bob', 'u:ann'), 'newest');
    expect(anonymous).toEqual({ ...ann, askedFor: 'a:anon' });
    expect(bob?.subject).toBe('u:bob');
    expect(ann?.features).not.toEqual(features.read(features.empty(), ann!.at));
  });
});
