import { afterAll, beforeAll, expect } from 'vitest';
import type { ChildProgram } from '../../support/child.ts';
import { startTestKafka, type TestKafka } from '../../support/kafka.ts';
import type { EventsWanted } from './events.ts';
import { append, makeRig, type Outcome, type Rig, type RigOptions, workerProgram } from './rig.ts';

/** A broker with a filled topic, the worker's program, and what an undisturbed run leaves behind. */
export interface Stage {
  readonly broker: TestKafka;
  readonly calm: Outcome;
  /** Another Redis on the same topic, with nothing in it. */
  fresh(options?: Partial<RigOptions>): Promise<Rig>;
}

const prefix = 'faults.';

/** Sets the stage before a file's tests and clears it after them. */
export function withStage(events: EventsWanted): () => Stage {
  const { partitions } = events;
  const rigs: Rig[] = [];
  let program: ChildProgram;
  let broker: TestKafka;
  let calm: Outcome;
  const fresh = async (options: Partial<RigOptions> = {}): Promise<Rig> => {
    const kafka = { broker: broker.address, prefix };
    const rig = await makeRig({ program, partitions, kafka, ...options });
    rigs.push(rig);
    return rig;
  };
  beforeAll(async () => {
    [program, broker] = await Promise.all([
      workerProgram(),
      startTestKafka({ settings: { 'group.min.session.timeout.ms': 500 } }),
    ]);
    await append({ broker: broker.address, prefix }, events);
    const rig = await fresh();
    expect(await rig.start().ended).toMatchObject({ how: 'exit 0' });
    calm = await rig.outcome();
  }, 240_000);
  afterAll(async () => {
    for (const rig of rigs) await rig.stop();
    await broker?.stop();
    await program?.remove();
  }, 60_000);
  return () => ({ broker, calm, fresh });
}
