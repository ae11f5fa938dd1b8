import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import type { ChildProgram } from '../../support/child.ts';
import { points } from './life.ts';
import { makeRig, type Outcome, type Rig, workerProgram } from './rig.ts';

const isFull = process.env.PRESAGE_FULL === '1';
const partitions = 4;
const events = { count: isFull ? 100_000 : 12_000, partitions };
/** Of each point; 5 points. */
const killsEach = isFull ? 10 : 3;

let program: ChildProgram;
let calm: Outcome;
const rigs: Rig[] = [];
const fresh = async (): Promise<Rig> => {
  const rig = await makeRig({ program, partitions, brokers: null });
  rigs.push(rig);
  return rig;
};

beforeAll(async () => {
  program = await workerProgram();
  const rig = await fresh();
  await rig.append(events);
  expect(await rig.start().ended).toMatchObject({ how: 'exit 0' });
  calm = await rig.outcome();
}, 120_000);
afterAll(async () => {
  for (const rig of rigs) await rig.stop();
  await program?.remove();
});

describe('SIGKILL of a stream worker', () => {
  it('has something to compare', () => {
    expect(calm.decisions.size).toBeGreaterThan(events.count / 10);
    expect(calm.state.size).toBeGreaterThan(events.count / 100);
    expect(calm.findings).toContain('repeated');
    expect(calm.findings).toContain('late');
  });

  it('at each named point changes no state and no decision', async () => {
    const rig = await fresh();
    await rig.append(events);
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
    expect([...rough.decisions.keys()].sort()).toEqual([...calm.decisions.keys()].sort());
    for (const [id, content] of calm.decisions) expect(rough.decisions.get(id)).toBe(content);
    expect(rough.findings).toBe(calm.findings);
    expect(rough.state).toEqual(calm.state);
  }, 600_000);
});
