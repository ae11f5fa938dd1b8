import { Cluster, type Redis } from 'ioredis';
import { connectionOptions, type RedisConnector } from './connection.ts';

export interface ClusterNode {
  readonly host: string;
  readonly port: number;
}

/**
 * A connector for Redis Cluster; a few of its nodes are enough to find the others. Each partition's keys share a hash tag,
 * so a partition is on one node, and each command goes to the node of its keys.
 */
export function clusterConnector(nodes: readonly ClusterNode[]): RedisConnector {
  return {
    where: nodes.map(({ host, port }) => `${host}:${port}`).join(','),
    connect: (purpose) => {
      const cluster = new Cluster([...nodes], {
        enableOfflineQueue: false,
        // Nothing is sent again behind our back (connection.ts).
        retryDelayOnFailover: 0,
        retryDelayOnClusterDown: 0,
        clusterRetryStrategy: (attempt) => Math.min(20 * attempt, 500),
        redisOptions: connectionOptions(purpose),
      });
      // It has the commands of one connection, and goes through the same states.
      return cluster as unknown as Redis;
    },
  };
}

/** Where functions have to be loaded: all masters of a cluster, or the one server. */
export function mastersOf(redis: Redis | Cluster): readonly Redis[] {
  return redis instanceof Cluster ? redis.nodes('master') : [redis];
}
