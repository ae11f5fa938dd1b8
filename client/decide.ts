import type { World } from './world.ts';

type Properties = Record<string, unknown>;

/** What was decided to show now. Say what becomes of it, or nobody can learn from it. */
export interface DecidedOffer {
  readonly decision: string;
  readonly placement: string;
  readonly action: string;
  readonly content: Properties;
  /** Unix milliseconds by the server's clock: not to be shown after it. */
  readonly expiresAt: number;
  /** Say that it is on the screen now. `accept` and `dismiss` say it too. */
  shown(): void;
  accept(): void;
  dismiss(): void;
}

/** An answer later than this is of no use to a page. */
const patienceMs = 2_000;

/** Asks what to show; null: nothing, or no answer in time. `report` sends what came of it until the server has heard. */
export async function askFor(
  world: World,
  url: string,
  body: Properties,
  report: (event: Properties) => void,
): Promise<DecidedOffer | null> {
  try {
    const response = await world.fetch(url, {
      method: 'POST',
      body: JSON.stringify(body),
      credentials: 'omit',
      signal: AbortSignal.timeout(patienceMs),
    });
    const answer = await response.json();
    if (!response.ok) world.warn(`decide refused: ${answer.code}: ${answer.message}`);
    const { id, placement, action, offer, receipt } = answer.decisions[0];
    if (!offer) return null;
    const said: string[] = [];
    const say = (outcome: string): void => {
      // The first answer stands.
      if (said.includes(outcome) || (outcome !== 'shown' && said.some((one) => one !== 'shown'))) return;
      said.push(outcome);
      if (receipt) report({ receipt, outcome, timestamp: new Date(world.now()).toISOString() });
    };
    return {
      decision: id,
      placement,
      action,
      ...offer,
      shown: () => say('shown'),
      accept: () => say('accepted'),
      dismiss: () => say('dismissed'),
    };
  } catch {
    return null;
  }
}
