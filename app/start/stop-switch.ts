import { type Health, type Logger, messageOf, type Role } from '../../core/index.ts';
import type { ActionControl } from '../../gateway/index.ts';

export interface StopSwitch extends Role {
  /** Whether the tenant's actions are stopped, as of at most a quarter second ago. */
  isStopped(tenant: string): boolean;
}

const everyMs = 250;

/** Keeps the push role's answer to "may I deliver?" at hand, so that offers decided before a stop are held back too. */
export function makeStopSwitch(control: Pick<ActionControl, 'stoppedTenants'>, logger: Logger): StopSwitch {
  let stopped: ReadonlySet<string> = new Set();
  let timer: NodeJS.Timeout | null = null;
  let isRunning = false;
  let health: Health = { state: 'starting', why: 'not started yet' };

  async function look(): Promise<void> {
    try {
      stopped = await control.stoppedTenants();
      health = { state: 'ok' };
    } catch (error) {
      // What was stopped stays stopped until we know better.
      if (health.state === 'ok') logger.warn({ err: messageOf(error) }, 'The stop switch cannot be read');
      health = { state: 'degraded', why: messageOf(error) };
    }
    if (isRunning) timer = setTimeout(look, everyMs);
  }

  return {
    name: 'stop switch',
    isStopped: (tenant) => stopped.has(tenant),
    start: async () => {
      isRunning = true;
      await look();
    },
    stop: async () => {
      isRunning = false;
      if (timer !== null) clearTimeout(timer);
    },
    health: () => health,
  };
}
