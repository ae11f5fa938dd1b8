import { describe, expect, it } from 'vitest';
import { partitionOf, rawIdOf, subjectOfEvent } from '../../core/index.ts';
import { reviewEvent } from '../../jobs/review/event.ts';
import { claimBy } from '../../jobs/review/review.fixture.ts';
import { reviewItemOf } from '../../jobs/review/role.ts';
import type { DecisionRecord, StoredEvent } from '../../schemas/index.ts';
import { manualClock } from '../../tests/support/clock.ts';
import { root } from '../../tests/support/program.ts';
import { stepper } from '../../tests/support/stepper.ts';
import { loadWorkspace } from '../../workspace/index.ts';
import { makeFeatureSet } from '../features/index.ts';
import { memoryLog } from '../log/index.ts';
import { memoryState } from '../state/index.ts';

const start = Date.UTC(2026, 0, 1);
const partitions = 4;
const workspace = await loadWorkspace(`${root}/tests/workspaces/review`);

function rig() {
  const clock = manualClock(start);
  const log = memoryLog({ partitions, clock });
  const store = memoryState({ clock });
  const features = makeFeatureSet(workspace);
  const scorers = { get: () => undefined, close: async () => {} };
  const steps = stepper({ workspace, features, scorers, clock, partitions, log, store });

  const append = async (...events: StoredEvent[]): Promise<void> => {
    for (const event of events) {
      const key = rawIdOf(subjectOfEvent(event)!);
      const value = Buffer.from(JSON.stringify(event));
      await log.append([{ partition: partitionOf(key, partitions), key, value }]);
    }
    await steps.finish();
  };
  let made = 0;
  const complain = (who: Partial<StoredEvent>): Promise<void> =>
    append({
      v: 1,
      id: `complaint-${made++}`,
      tenant: 'acme',
      type: 'complaint',
      time: clock.now(),
      properties: { topic: 'late' },
      source: 'http',
      ...who,
    });
  async function decisions(): Promise<DecisionRecord[]> {
    return (await steps.outbox()).flatMap((entry) => (entry.kind === 'decision' ? [entry.decision] : []));
  }
  /** What the review queue writes when somebody says this of a decision. */
  function said(
    decision: DecisionRecord,
    verdict: 'approved' | 'edited' | 'rejected',
    content: Record<string, unknown> | null = null,
  ): StoredEvent {
    const item = reviewItemOf(decision);
    if (item === null) throw new Error('It is not to be reviewed.');
    const claim = claimBy('ann', clock.now(), verdict, content);
    return reviewEvent({ ...item, isEscalated: false, claim, isPublished: false }, claim);
  }
  return { clock, log, steps, append, complain, decisions, said, store };
}

describe('a verdict in the log', () => {
  it('lets what waited be executed, once, however often it comes', async () => {
    const { clock, append, complain, decisions, said } = rig();
    await complain({ userId: 'ann' });
    const [waiting] = await decisions();
    expect(waiting).toMatchObject({ mode: 'review', action: 'refund', review: { reason: 'gate' } });
    clock.set(start + 1_800_000);
    const approval = said(waiting!, 'approved');
    await append(approval);
    await append(approval, approval);
    const [, released, ...more] = await decisions();
    expect(more).toEqual([]);
    expect(released).toEqual({
      ...waiting,
      mode: 'act',
      candidates: [{ ...waiting!.candidates[0], verdict: { stage: 'chosen', rule: 'approved', saw: {} } }],
      offer: { content: waiting!.offer!.content, expiresAt: start + 1_800_000 + 600_000 },
      capsSeen: [expect.objectContaining({ action: 'refund', used: 0, limit: 2 })],
      review: {
        ...waiting!.review,
        released: { verdict: 'approved', by: 'ann', at: start + 1_800_000 },
      },
    });
    // Taken in again it would wait for ever.
    expect(reviewItemOf(released!)).toBeNull();
  });

  it('shows what a person made of it, and nothing of what was rejected', async () => {
    const { append, complain, decisions, said } = rig();
    await complain({ userId: 'ann' });
    await complain({ userId: 'ann' });
    const [first, second] = await decisions();
    await append(said(first!, 'edited', { title: 'Half' }), said(second!, 'rejected'));
    const released = (await decisions()).slice(2);
    expect(released.map(({ id, offer }) => [id, offer?.content])).toEqual([[first!.id, { title: 'Half' }]]);
    expect(released[0]?.candidates[0]?.verdict.rule).toBe('edited');
  });

  it('executes nothing while the stop switch is on', async () => {
    const { append, complain, decisions, said, clock, log, steps } = rig();
    await complain({ userId: 'ann' });
    const [waiting] = await decisions();
    const stop = { control: 'stop', by: 'test' };
    for (let partition = 0; partition < partitions; partition++) {
      const event = {
        v: 1,
        id: `stop-${partition}`,
        tenant: 'acme',
        type: '$control',
        anonymousId: 'engine',
        time: clock.now(),
        properties: stop,
        source: 'engine',
      };
      await log.append([{ partition, key: 'engine', value: Buffer.from(JSON.stringify(event)) }]);
    }
    await steps.finish();
    await append(said(waiting!, 'approved'));
    expect((await decisions()).map(({ mode }) => mode)).toEqual(['review', 'stopped']);
  });

  it('follows a visitor who has become a user meanwhile', async () => {
    const { append, complain, decisions, said, clock } = rig();
    expect(partitionOf('visitor', partitions)).not.toBe(partitionOf('ann', partitions));
    await complain({ anonymousId: 'visitor' });
    const [waiting] = await decisions();
    await append({
      v: 1,
      id: 'identify',
      tenant: 'acme',
      type: 'identify',
      anonymousId: 'visitor',
      userId: 'ann',
      time: clock.now(),
      properties: {},
      source: 'http',
    });
    await append(said(waiting!, 'approved'));
    const released = (await decisions()).find(({ mode }) => mode === 'act');
    expect(released).toMatchObject({
      id: waiting!.id,
      subject: 'u:ann',
      identity: { askedFor: 'a:visitor' },
    });
  });

  it('is refused where another than the review queue wrote it, or the action is gone', async () => {
    const { append, complain, decisions, said, steps } = rig();
    await complain({ userId: 'ann' });
    const [waiting] = await decisions();
    const approval = said(waiting!, 'approved');
    await append({ ...approval, id: 'forged', source: 'my-topic' });
    const gone = { ...approval.properties, action: 'no_such' };
    await append({ ...approval, id: 'gone', properties: gone });
    const dead = (await steps.outbox()).flatMap((entry) => (entry.kind === 'dead' ? [entry.dead.code] : []));
    expect(dead).toEqual(['not_a_review', 'unknown_action']);
    expect(await decisions()).toHaveLength(1);
  });
});
