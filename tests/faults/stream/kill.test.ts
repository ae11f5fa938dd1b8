import { afterAll, beforeAll, expect, it } from 'vitest';
import type { ChildProgram } from '../../support/child.ts';
import { describeWithKafka, startTestKafka, type TestKafka } from '../../support/kafka.ts';
import { expectSame, isFull } from './compare.ts';
import { points } from './life.ts';
import { append, makeRig, type Outcome, type Rig, workerProgram } from './rig.ts';

const partitions = 4;
const events = { count: isFull ? 100_000 : 12_000, partitions, poison: 0.01 };
/** Of each point; 5 points. */
const killsEach = isFull ? 10 : 3;

describeWithKafka('SIGKILL of a stream worker', () => {
  let broker: TestKafka;
  let program: ChildProgram;
  let calm: Outcome;
  const rigs: Rig[] = [];
  const fresh = async (): Promise<Rig> => {
    const kafka = { broker: broker.address, prefix: 'kill.' };
    const rig = await makeRig({ program, partitions, kafka, batchRecords: isFull ? 400 : 200 });
    rigs.push(rig);
    return rig;
  };

  beforeAll(async () => {
    [program, broker] = await Promise.all([workerProgram(), startTestKafka()]);
    await append({ broker: broker.address, prefix: 'kill.' }, events);
    const rig = await fresh();
    expect(await rig.start().ended).toMatchObject({ how: 'exit 0' });
    calm = await rig.outcome();
  }, 180_000);
  afterAll(async () => {
    for (const rig of rigs) await rig.stop();
    await broker?.stop();
    await program?.remove();
  });

  it('has something to compare', () => {
    expect(calm.decisions.size).toBeGreaterThan(events.count / 10);
    expect(calm.state.size).toBeGreaterThan(events.count / 100);
    expect(calm.findings).toContain('repeated');
    expect(calm.findings).toContain('late');
  });

  it('finds the poison with its bytes, reason and coordinates', () => {
    const letters = [...calm.dead.values()];
    expect(letters.length).toBeGreaterThan(events.count * 0.008);
    for (const letter of letters) {
      expect(letter).toMatchObject({
        code: 'not_json',
        partition: expect.any(Number),
        position: expect.any(Number),
      });
      expect(Buffer.from(letter.bytes, 'base64').toString()).toContain('"broken"');
    }
  });

  it('at each named point changes no state and no decision', async () => {
    const rig = await fresh();
    let kills = 0;
    for (let life = 0; life < killsEach; life++) {
      for (const point of points) {
        const { how, output } = await rig.start({ dieAt: { point, after: 1 + (life % 3) } }).ended;
        if (how === 'SIGKILL') kills++;
        else expect(`${how} ${output}`).toContain('drained');
      }
    }
    expect(kills).toBe(killsEach * points.length);
    expect(await rig.start().ended).toMatchObject({ how: 'exit 0' });
    const rough = await rig.outcome();
    expect(rough.readAgain).toBeGreaterThan(0);
    expectSame(rough, calm);
  }, 1_200_000);
});
