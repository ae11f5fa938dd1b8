import { expect, it } from 'vitest';
import { describeWithKafka } from '../../support/kafka.ts';
import { expectSame, isFull } from './compare.ts';
import { points } from './life.ts';
import { report } from './report.ts';
import { withStage } from './stage.ts';

const events = { count: isFull ? 100_000 : 12_000, poison: 0.01 };
/** Of each point; 5 points. */
const killsEach = isFull ? 10 : 3;

describeWithKafka('SIGKILL of a stream worker', () => {
  const stage = withStage(4, events);

  it('has something to compare', async () => {
    const calm = await stage().calm();
    expect(calm.decisions.size).toBeGreaterThan(events.count / 10);
    expect(calm.state.size).toBeGreaterThan(events.count / 100);
    expect(calm.findings).toContain('repeated');
    expect(calm.findings).toContain('late');
    for (const trigger of ['on_click', 'keen', 'dear', 'not_bought', 'not_this', 'over'])
      expect({ trigger, fired: calm.fired.get(trigger) }).toEqual({ trigger, fired: expect.any(Number) });
    // Whoever came in the first part and never again has been forgotten; who came last has not.
    expect([...calm.state.keys()].filter((key) => /state:.*guest-0-/.test(key))).toEqual([]);
    expect([...calm.state.keys()].some((key) => key.includes('guest-'))).toBe(true);
    expect([...calm.state.keys()].some((key) => key.includes(':timers:'))).toBe(true);
  });

  it('finds the poison with its bytes, reason and coordinates', async () => {
    const letters = [...(await stage().calm()).dead.values()];
    expect(letters.length).toBeGreaterThan(events.count * 0.008);
    for (const letter of letters) {
      const coordinates = { partition: expect.any(Number), position: expect.any(Number) };
      expect(letter).toMatchObject({ code: 'not_json', ...coordinates });
      expect(Buffer.from(letter.bytes, 'base64').toString()).toContain('"broken"');
    }
    report('poison messages', { events: events.count, 'dead letters': letters.length });
  });

  it('at each named point changes no state and no decision', async () => {
    const { fresh, calm } = stage();
    const rig = await fresh({ batchRecords: isFull ? 400 : 80 });
    let kills = 0;
    for (let life = 0; life < killsEach; life++) {
      for (const point of points) {
        const { how, output } = await rig.start({ dieAt: { point, after: 1 + (life % 3) } }).ended;
        if (how === 'SIGKILL') kills++;
        else expect(`${how} ${output}`).toContain('drained');
      }
    }
    expect(kills).toBe(killsEach * points.length);
    const last = await rig.start().ended;
    expect(`${last.how} ${last.output}`).toContain('exit 0');
    const rough = await rig.outcome();
    expect(rough.readAgain).toBeGreaterThan(0);
    report('worker killed at each named point (SIGKILL)', {
      events: events.count,
      kills,
      decisions: rough.decisions.size,
      'entries read twice': rough.readAgain,
    });
    expectSame(rough, await calm());
  }, 1_200_000);
});
