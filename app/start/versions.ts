import { z } from 'zod';
import { PresageError } from '../../core/index.ts';
import type { LogVersion } from '../../stream/log/index.ts';
import type { Send } from '../../stream/repartition/index.ts';

const version = z.object({
  version: z.number().int().positive(),
  partitions: z.number().int().positive(),
  base: z.number().int().nonnegative(),
});

const plan = z.object({
  /** Of the version that there is, and of the one to come. */
  from: z.number().int().positive(),
  to: z.object({ version: z.number().int().positive(), partitions: z.number().int().positive() }),
  /**
   * Cleaning: the new version is in force, the old one's keys are being deleted. Cancelling: it will not be, and what was
   * copied is being deleted.
   */
  phase: z.enum(['copying', 'cleaning', 'cancelling']),
  startedAt: z.number(),
  /** Milliseconds for which producers were held; null before. */
  heldMs: z.number().nullable(),
});
export type RepartitionPlan = z.infer<typeof plan>;

/** How the log is divided and has been; the last is in force. */
export interface KeptVersions {
  readonly all: readonly [LogVersion, ...LogVersion[]];
  readonly plan: RepartitionPlan | null;
  /** Counts saves. */
  readonly turn: number;
}

/** How a log begins that nobody has divided otherwise. */
const first: LogVersion = { version: 1, partitions: 4, base: 0 };
const key = 'presage:log';

export async function readVersions(send: Send): Promise<KeptVersions> {
  const [stored, planned, turn] = await send(
    (redis) => redis.hmget(key, 'versions', 'repartition', 'turn'),
    'see how the log is divided',
  );
  const all = z.array(version).parse(JSON.parse(stored || '[]'));
  return {
    all: [all[0] ?? first, ...all.slice(1)],
    plan: planned ? plan.parse(JSON.parse(planned)) : null,
    turn: Number(turn ?? 0),
  };
}

/** A save that comes late, after its sender had given it up and gone on, must not count. */
const saveScript = `
if tonumber(redis.call('HGET', KEYS[1], 'turn') or 0) ~= tonumber(ARGV[1]) then return 0 end
redis.call('HSET', KEYS[1], 'versions', ARGV[2], 'repartition', ARGV[3])
redis.call('HINCRBY', KEYS[1], 'turn', 1)
return 1`;

/**
 * Saves versions and plan at once, as what follows `before`. Throws `repartition_elsewhere` when something else does
 * already, and what `send` throws: then only `readVersions` knows whether it was saved.
 */
export async function saveVersions(
  send: Send,
  before: KeptVersions,
  { all, plan }: Pick<KeptVersions, 'all' | 'plan'>,
): Promise<KeptVersions> {
  const [versions, planned] = [JSON.stringify(all), plan === null ? '' : JSON.stringify(plan)];
  const isSaved = await send(async (redis) => {
    if ((await redis.eval(saveScript, 1, key, before.turn, versions, planned)) === 1) return true;
    // Sent twice, it may have been saved the first time.
    const stored = await redis.hmget(key, 'versions', 'repartition', 'turn');
    return stored[0] === versions && stored[1] === planned && Number(stored[2]) === before.turn + 1;
  }, 'note how the log is divided');
  if (isSaved) return { all, plan, turn: before.turn + 1 };
  throw new PresageError(
    'repartition_elsewhere',
    'Another process has changed how the log is divided: stop all of them and start again.',
  );
}

/** As a file has it; null: it has none that can be read. */
export function parseVersions(text: string | null): KeptVersions['all'] | null {
  try {
    const all = z.array(version).parse(JSON.parse(text ?? ''));
    return all[0] === undefined ? null : [all[0], ...all.slice(1)];
  } catch {
    return null;
  }
}

export const inForce = ({ all }: Pick<KeptVersions, 'all'>): LogVersion => all.at(-1) ?? all[0];
