import { Agent, request } from 'node:http';
import { setTimeout as pause } from 'node:timers/promises';
import { say, settingsOf, told } from '../shared/member.ts';
import { makeRandom } from '../shared/random.ts';
import { quantile } from '../w1/measure.ts';

export interface AskSettings {
  readonly address: string;
  readonly key: string;
  readonly perSecond: number;
  readonly subjects: number;
  readonly deadlineMs: number;
}

/** What came back in one phase. Milliseconds. */
export interface AskReport {
  readonly asked: number;
  readonly statuses: Record<string, number>;
  /** With something to show, and made without the state store. */
  readonly shown: number;
  readonly unrecorded: number;
  /** From the intended send time, which what the generator was late counts towards, */
  readonly fromIntended: {
    readonly p50: number;
    readonly p99: number;
    readonly p999: number;
    readonly max: number;
  };
  /** and from the real one. */
  readonly fromSent: {
    readonly p50: number;
    readonly p99: number;
    readonly p999: number;
    readonly max: number;
  };
  /** Of those that were sent, the share answered within the deadline and 5 ms. */
  readonly inTime: number;
}

/** Open loop: each request has its time, whatever became of those before. */
const { address, key, perSecond, subjects, deadlineMs } = settingsOf<AskSettings>();
const agent = new Agent({ keepAlive: true, maxSockets: 512, maxFreeSockets: 512 });
const random = makeRandom(9);
let id = 0;

interface Answer {
  readonly status: number;
  readonly shown: boolean;
  readonly recorded: boolean;
}

function ask(): Promise<Answer> {
  id += 1;
  const body = JSON.stringify({
    userId: String(Math.floor(random() * subjects)),
    session: 's',
    placement: 'banner',
    deadlineMs,
    requestId: `${process.pid}-${id}`,
  });
  return new Promise((resolve) => {
    const call = request(
      `${address}/v1/decide`,
      {
        method: 'POST',
        agent,
        headers: {
          'content-type': 'application/json',
          'content-length': Buffer.byteLength(body),
          authorization: `Bearer ${key}`,
        },
      },
      (response) => {
        let text = '';
        response.setEncoding('utf8');
        response.on('data', (chunk) => {
          text += chunk;
        });
        response.on('end', () =>
          resolve({
            status: response.statusCode ?? 0,
            shown: text.includes('"offer":{'),
            recorded: text.includes('"recorded":true'),
          }),
        );
      },
    );
    call.on('error', () => resolve({ status: 0, shown: false, recorded: false }));
    call.end(body);
  });
}

async function phase(seconds: number): Promise<AskReport> {
  const count = seconds * perSecond;
  const intended: number[] = [];
  const sent: number[] = [];
  const statuses: Record<string, number> = {};
  let shown = 0;
  let unrecorded = 0;
  const underWay = new Set<Promise<void>>();
  const begun = performance.now();
  for (let n = 0; n < count; ) {
    const due = Math.min(count, Math.floor(((performance.now() - begun) * perSecond) / 1_000) + 1);
    for (; n < due; n++) {
      const [at, now] = [begun + (n * 1_000) / perSecond, performance.now()];
      const one = ask().then((answer) => {
        const end = performance.now();
        intended.push(end - at);
        sent.push(end - now);
        statuses[answer.status] = (statuses[answer.status] ?? 0) + 1;
        if (answer.shown) shown += 1;
        if (!answer.recorded) unrecorded += 1;
        underWay.delete(one);
      });
      underWay.add(one);
    }
    if (n < count) await pause(1);
  }
  await Promise.all(underWay);
  const of = (times: number[]) => {
    times.sort((a, b) => a - b);
    return {
      p50: quantile(times, 0.5),
      p99: quantile(times, 0.99),
      p999: quantile(times, 0.999),
      max: times.at(-1) ?? 0,
    };
  };
  const inTime = sent.filter((ms) => ms <= deadlineMs + 5).length / sent.length;
  return {
    asked: count,
    statuses,
    shown,
    unrecorded,
    fromIntended: of(intended),
    fromSent: of(sent),
    inTime,
  };
}

await say({ say: 'ready' });
for (;;) {
  const { seconds } = await told('phase');
  await say({ say: 'asked', report: await phase(Number(seconds)) });
}
