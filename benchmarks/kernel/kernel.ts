import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { cpus, tmpdir } from 'node:os';
import { join } from 'node:path';
import { decide, type Question } from '../../decisions/index.ts';
import { loadWorkspace } from '../../workspace/index.ts';

/**
 * Decisions a second of one core, scores given, room for all, whole records with every verdict; no store, no JSON.
 * 20 candidates with three expressions that read nothing of the candidate; then with three two-term expressions of the
 * candidate besides; then as softmax.
 */
const seconds = Number(process.argv[2] ?? 3);

const shared = ['views > 1 && cart > 10', 'visits >= 2', 'age < 90'];
const ofCandidate = [
  'action.price < cart * 2 && views > 1',
  'action.rank + views > 3',
  'action.price - action.rank < 400',
];

async function placementOf(more: boolean, exploration: string) {
  const folder = mkdtempSync(join(tmpdir(), 'presage-kernel-'));
  const rules = ['eligible', 'applicable', 'suitable'];
  const actions = Array.from({ length: 20 }, (_, index) => {
    const own = rules
      .map((key, at) => (more ? `${key}: ${JSON.stringify(ofCandidate[at])}` : ''))
      .filter(Boolean);
    return `  action_${index}: { group: all, placements: [banner], value: ${1 + index / 10}, attributes: { price: ${20 + index}, rank: ${index} }${own.map((one) => `, ${one}`).join('')} }`;
  });
  const text = `version: 1
name: bench
tenants: { shop: {} }
features:
${['views', 'cart', 'visits', 'age'].map((name) => `  ${name}: { kind: count, of: page, window: 1h }`).join('\n')}
placements: { banner: { ${exploration} } }
triggers: { seen: { on: page, placement: banner } }
groups: { all: { ${rules.map((key, at) => `${key}: ${JSON.stringify(shared[at])}`).join(', ')} } }
actions:
${actions.join('\n')}
`;
  writeFileSync(join(folder, 'presage.yaml'), text);
  const { placements } = await loadWorkspace(folder);
  rmSync(folder, { recursive: true });
  const placement = placements.get('banner');
  if (placement === undefined) throw new Error('no placement');
  return placement;
}

async function measure(name: string, more: boolean, exploration: string): Promise<void> {
  const placement = await placementOf(more, exploration);
  const acceptProbabilities = Array.from({ length: 20 }, (_, index) => 0.02 + ((index * 7) % 20) / 100);
  const all = Array.from({ length: 20 }, (_, index) => index);
  const asked = (id: number): Question => ({
    id: `d${id}`,
    tenant: 'shop',
    subject: 'a:x',
    session: 's1',
    placement,
    startedBy: { kind: 'trigger', trigger: 'seen', event: `e${id}`, eventType: 'page' },
    time: 1_700_000_000_000,
    simulated: false,
    log: { partition: 0, position: id },
    features: { views: 4, cart: 60, visits: 3, age: 40 },
    event: {},
    context: null,
    receivedAt: 1_700_000_000_000,
    workspace: 'w1',
    stopped: false,
    featuresMs: 0,
  });
  const scores = {
    acceptProbabilities,
    rung: 'champion',
    rungReason: 'in_time',
    model: null,
    scoringMs: 0,
  } as const;
  const resolution = { slots: [{ chosen: 0, available: all }], capsSeen: [] };
  const parts = { score: () => scores, resolve: () => resolution, decidedAt: 1_700_000_000_000 };
  let chosen = 0;
  const run = (until: number): { made: number; cpuMs: number } => {
    const begun = process.cpuUsage();
    const end = performance.now() + until;
    let made = 0;
    while (performance.now() < end) {
      for (let round = 0; round < 100; round++) {
        if (decide(asked(made + round), parts).action !== null) chosen += 1;
      }
      made += 100;
    }
    const { user, system } = process.cpuUsage(begun);
    return { made, cpuMs: (user + system) / 1_000 };
  };
  run(1_000);
  const { made, cpuMs } = run(seconds * 1_000);
  if (chosen === 0) throw new Error('nothing was chosen');
  // By processor time, garbage collection included: it does not depend on what else the machine does.
  console.log(
    `${name.padEnd(58)} ${Math.round((made / cpuMs) * 1_000)
      .toLocaleString('en')
      .padStart(9)} decisions/s of a core`,
  );
}

console.log(`kernel, 20 candidates, whole records; ${cpus()[0]?.model ?? ''}, node ${process.version}`);
await measure('3 expressions that read nothing of the candidate', false, '');
await measure('and 3 two-term expressions of each candidate', true, '');
await measure(
  '3 expressions that read nothing of the candidate, softmax',
  false,
  'exploration: { kind: softmax }',
);
