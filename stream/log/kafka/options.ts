import type { ConnectionOptions } from 'node:tls';
import type { SASLOptions } from 'kafkajs';
import type { Registry } from 'prom-client';
import type { Clock, Logger } from '../../../core/index.ts';

/** How to reach the brokers. TLS and SASL settings are kafkajs' own. */
export interface KafkaConnection {
  /** host:port of one broker or more; the rest is found through them. */
  readonly brokers: readonly string[];
  readonly clientId?: string;
  readonly ssl?: boolean | ConnectionOptions;
  readonly sasl?: SASLOptions;
}

/** What a topic of ours is created with; one that exists keeps what it has. */
export interface TopicSettings {
  /** Copies of each partition; the broker's default if left out. With 3 or more, 2 of them must have a record. */
  readonly replicationFactor?: number;
  /** Default 7 days. */
  readonly retentionMs?: number;
  /** Of each partition; default no bound but time. */
  readonly retentionBytes?: number;
}

export interface KafkaTimings {
  /** How long a call keeps trying before it throws `log_unavailable`; default 10 s. */
  readonly patienceMs: number;
  /** A member that says nothing so long has its partitions taken away: brokers take 6 s or more; default 6 s. */
  readonly sessionMs: number;
  /** No fetch for so long, and the consumer is given up for another; default 30 s. */
  readonly stuckMs: number;
  /** Between two looks at whether an idle partition has what its reader waits for; default 2 s. */
  readonly checkMs: number;
  /** How often a group's offsets follow, for lag tools; default 5 s. */
  readonly followMs: number;
  /** Before another consumer is made: the first time, and at most. */
  readonly retryMs: { readonly first: number; readonly most: number };
}

export interface KafkaLogOptions {
  readonly connection: KafkaConnection;
  /** The topic is `<prefix>events.v<version>`, groups begin with `<prefix>`; default `presage.`. */
  readonly prefix?: string;
  /** Another partition count needs another version. */
  readonly version: number;
  readonly partitions: number;
  readonly topic?: TopicSettings;
  readonly clock: Clock;
  readonly logger: Logger;
  readonly registry?: Registry;
  readonly timings?: Partial<KafkaTimings>;
}

export const defaultTimings: KafkaTimings = {
  patienceMs: 10_000,
  sessionMs: 6_000,
  stuckMs: 30_000,
  checkMs: 2_000,
  followMs: 5_000,
  retryMs: { first: 100, most: 5_000 },
};
