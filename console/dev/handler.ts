import type { IncomingMessage, ServerResponse } from 'node:http';
import type { TryOut } from '../../schemas/index.ts';
import { featuresOf, listOf } from './list.ts';
import { makeMessages } from './live.ts';
import { outcomesOf } from './outcomes.ts';
import { detailOf } from './record.ts';
import { reviewOf, reviewsOf } from './reviews.ts';
import type { Scenario } from './scenarios.ts';
import { statusOf, throughputOf } from './status.ts';

/** Answers a request for the API and says true, or leaves it alone and says false. */
export type Handler = (request: IncomingMessage, response: ServerResponse) => boolean;

type Answer = readonly [status: number, body: unknown];

/** How many messages a new listener gets at once, so that a screenshot need not wait for them. */
const firstMessages = 60;

const notSignedIn: Answer = [
  401,
  { code: 'not_signed_in', message: 'Sign in with the link that Presage printed.' },
];
const noWarehouse: Answer = [
  503,
  { code: 'no_warehouse', message: 'ClickHouse does not answer; the answer will be there when it is back.' },
];
/** Whatever is tried: one that holds, one that does not, one that can't be told. */
const tried: TryOut['verdicts'] = [true, false, 'missing: cart_value'].map((verdict, index) => ({
  decision: `d_5f1c0c61d1b7a92e4a0b6c3${index}`,
  subject: 'a:sim-7f3a91c2e0',
  placement: 'cart_banner',
  action: null,
  verdict,
  saw: { cart_value: index === 2 ? null : 80 - index * 50 },
}));

const notFound: Answer = [404, { code: 'not_found', message: 'There is nothing at this address.' }];

/** The gateway's /api with invented data. `scenario` is asked at every request, so that a test can change it. */
export function fixtureHandler(scenario: () => Scenario, now: () => number = Date.now): Handler {
  const stopped = new Set<string>();

  async function answer(request: IncomingMessage, response: ServerResponse, url: URL): Promise<void> {
    const current = scenario();
    const [, , part, id, sub] = url.pathname.split('/').map(decodeURIComponent);
    // Never answered: ends with the client's patience.
    if (current === 'loading') return;
    if (current === 'signed-out') send(response, notSignedIn);
    else if (current === 'error') send(response, noWarehouse);
    else if (part === 'live') live(request, response, current);
    else if (part === 'tryout') send(response, [200, { verdicts: tried }]);
    else if (part === 'actions') send(response, await control(request, id === 'stop'));
    else send(response, read(current, url.searchParams, part, id, sub));
  }

  function read(
    current: Scenario,
    search: URLSearchParams,
    part: string | undefined,
    id: string | undefined,
    sub: string | undefined,
  ): Answer {
    if (part === 'status') {
      const off = current === 'stopped' ? new Set(['shop', ...stopped]) : stopped;
      return [200, statusOf(current, off, now())];
    }
    if (part === 'throughput') return [200, throughputOf(current, now())];
    if (part === 'outcomes') return [200, outcomesOf(current, search, now())];
    if (part === 'decisions' && id === undefined) return [200, listOf(current, search, now())];
    if (part === 'decisions' && id !== undefined) {
      return found(detailOf(current, id, now()), 'unknown_decision', 'No decision has this id.');
    }
    if (part === 'reviews' && id === undefined) return [200, reviewsOf(current, now())];
    if (part === 'reviews' && id !== undefined)
      return found(reviewOf(current, id, now()), 'unknown_review', 'Nothing of this id is to be reviewed.');
    if (part === 'subjects' && id !== undefined && sub === 'features') {
      return found(featuresOf(current, id, now()), 'unknown_subject', 'Nothing is kept of this subject.');
    }
    return notFound;
  }

  function live(request: IncomingMessage, response: ServerResponse, current: Scenario): void {
    response.writeHead(200, { 'content-type': 'text/event-stream', 'cache-control': 'no-store' });
    response.write(':\n\n');
    if (current === 'empty') return;
    const next = makeMessages(current, now);
    const tell = (): void => {
      for (const message of next()) response.write(`data: ${JSON.stringify(message)}\n\n`);
    };
    for (let told = 0; told < firstMessages; told++) tell();
    if (current === 'heavy')
      response.write(`data: ${JSON.stringify({ kind: 'skipped', count: 152_340 })}\n\n`);
    const timer = setInterval(tell, current === 'heavy' ? 40 : 400);
    request.on('close', () => clearInterval(timer));
  }

  async function control(request: IncomingMessage, isStop: boolean): Promise<Answer> {
    const body = (await readBody(request)) as { tenant?: string };
    const { tenants } = statusOf(scenario(), stopped, now());
    for (const { name } of tenants) {
      if (body.tenant !== undefined && body.tenant !== name) continue;
      if (isStop) stopped.add(name);
      else stopped.delete(name);
    }
    return [200, { tenants: tenants.map(({ name }) => ({ name, stopped: stopped.has(name) })) }];
  }

  return (request, response) => {
    const url = new URL(request.url ?? '/', 'http://127.0.0.1');
    if (!url.pathname.startsWith('/api/')) return false;
    answer(request, response, url).catch((error: unknown) => response.destroy(error as Error));
    return true;
  };
}

const found = (value: unknown, code: string, message: string): Answer =>
  value === null ? [404, { code, message }] : [200, value];

function send(response: ServerResponse, [status, body]: Answer): void {
  response.writeHead(status, { 'content-type': 'application/json', 'cache-control': 'no-store' });
  response.end(JSON.stringify(body));
}

async function readBody(request: IncomingMessage): Promise<unknown> {
  const chunks: Buffer[] = [];
  for await (const chunk of request) chunks.push(chunk as Buffer);
  return JSON.parse(Buffer.concat(chunks).toString('utf8') || '{}');
}
