import { afterAll, beforeAll, expect } from 'vitest';
import type { ChildProgram } from '../../support/child.ts';
import { startTestKafka, type TestKafka } from '../../support/kafka.ts';
import { append, type EventsWanted, type Feed, feed } from './events.ts';
import { clock, consoleLogger, openLog } from './life.ts';
import { makeRig, type Outcome, type Rig, type RigOptions, workerProgram } from './rig.ts';

/** A broker, the worker's program, and as many Redis servers as a test wants. */
export interface Stage {
  readonly broker: TestKafka;
  /** Another Redis on the same topic, with nothing in it. */
  fresh(options?: Partial<RigOptions>): Promise<Rig>;
  /** Fills the topic at a pace. */
  feed(events: EventsWanted, perSecond: number): Promise<Feed>;
  /** What an undisturbed run over all that is in the topic leaves behind. */
  calm(): Promise<Outcome>;
}

const prefix = 'faults.';

/** Sets the stage before a file's tests, with these events in the topic, and clears it after them. */
export function withStage(partitions: number, events?: Omit<EventsWanted, 'partitions'>): () => Stage {
  const closers: (() => Promise<void>)[] = [];
  let program: ChildProgram;
  let broker: TestKafka;
  let known: Outcome | null = null;
  const kafka = () => ({ broker: broker.address, prefix });
  const open = () => openLog({ kafka: kafka(), partitions, sessionMs: 6_000 }, clock, consoleLogger());
  const fresh = async (options: Partial<RigOptions> = {}): Promise<Rig> => {
    const rig = await makeRig({ program, partitions, kafka: kafka(), ...options });
    closers.push(() => rig.stop());
    return rig;
  };
  const calm = async (): Promise<Outcome> => {
    if (known !== null && events !== undefined) return known;
    const rig = await fresh();
    const { how, output } = await rig.start().ended;
    expect(`${how} ${output}`).toContain('exit 0');
    known = await rig.outcome();
    return known;
  };
  beforeAll(async () => {
    [program, broker] = await Promise.all([
      workerProgram(),
      startTestKafka({ settings: { 'group.min.session.timeout.ms': 500 } }),
    ]);
    closers.push(
      () => program.remove(),
      () => broker.stop(),
    );
    if (events === undefined) return;
    const log = await open();
    await append(log, { ...events, partitions });
    await log.close();
    await calm();
  });
  afterAll(async () => {
    for (const close of closers.reverse()) await close();
  });
  return () => ({
    broker,
    fresh,
    calm,
    async feed(wanted, perSecond) {
      const log = await open();
      closers.push(() => log.close());
      return feed(log, wanted, perSecond);
    },
  });
}
