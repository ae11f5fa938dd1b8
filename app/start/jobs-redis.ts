import { PresageError } from '../../core/index.ts';
import { type ConnectJobs, patient } from '../../jobs/index.ts';
import {
  type ConnectionChanges,
  checkServer,
  type RedisConnector,
  redisConnector,
} from '../../stream/redis/index.ts';
import { systemClock } from '../clock.ts';
import type { Environment } from '../environment.ts';

export interface JobsRedis {
  /** For our own commands: fails at once where Redis is away. */
  readonly connect: ConnectJobs;
  /** For BullMQ, which waits for Redis by itself. */
  readonly connectPatiently: ConnectJobs;
}

/** Of the Redis that holds the state; database 0 is the state's. */
const jobsDatabase = 1;

/**
 * The database of jobs: JOBS_REDIS_URL, else another database of the Redis that holds the state. Throws `redis_unsafe` or
 * `redis_too_old` where one of its own could lose or evict what waits, and `environment_invalid` where REDIS_URL names a
 * database, so that there is none beside it.
 */
export async function openJobsRedis(environment: Environment, shared: RedisConnector): Promise<JobsRedis> {
  const { jobsRedisUrl, redisUrl } = environment;
  if (jobsRedisUrl !== null) {
    const connector = redisConnector(jobsRedisUrl);
    await checkServer(connector, systemClock, { holdsLog: false });
    return connections(connector, {});
  }
  if (redisUrl !== null && namesDatabase(redisUrl))
    throw new PresageError(
      'environment_invalid',
      'REDIS_URL names a database, and what waits needs one beside it: name none, or set JOBS_REDIS_URL.',
    );
  return connections(shared, { db: jobsDatabase });
}

const connections = (connector: RedisConnector, own: ConnectionChanges): JobsRedis => ({
  connect: (purpose) => connector.connect(purpose, own),
  connectPatiently: (purpose) => connector.connect(purpose, { ...own, ...patient }),
});

function namesDatabase(url: string): boolean {
  if (!/^rediss?:/.test(url)) return false;
  const { pathname, searchParams } = new URL(url);
  return /^\/[1-9]/.test(pathname) || searchParams.has('db');
}
