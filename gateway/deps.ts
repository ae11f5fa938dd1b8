import type { Registry } from 'prom-client';
import type { Clock, Gate, Health, Logger } from '../core/index.ts';
import type {
  DecideRequest,
  DecisionRecord,
  ReviewBody,
  ReviewDecided,
  ReviewDetail,
  ReviewList,
} from '../schemas/index.ts';
import type { Warehouse } from '../sinks/clickhouse/port.ts';
import type { FeatureSet } from '../stream/features/port.ts';
import type { EventLog } from '../stream/log/port.ts';
import type { StateStore } from '../stream/state/port.ts';
import type { CompiledWorkspace } from '../workspace/index.ts';
import type { KeyStore } from './keys/index.ts';
import type { SessionSecrets } from './sessions.ts';
import type { ThroughputRecorder } from './throughput.ts';

/** The stop switch: one `$control` event to every partition's log, so that replay stops where we did. */
export interface ActionControl {
  /** Resolves when every partition's log has it. `by` says who, for the record. */
  stop(tenants: readonly string[], by: string, reason: string | undefined): Promise<void>;
  resume(tenants: readonly string[], by: string, reason: string | undefined): Promise<void>;
  /** Tenants whose actions are stopped now. */
  stoppedTenants(): Promise<ReadonlySet<string>> | ReadonlySet<string>;
}

/** Folders of static files; null = not there (a hint is served in its place). Absolute paths. */
export interface Folders {
  /** The built console, with index.html. */
  readonly console: string | null;
  /** The workspace's demo site, served at /demo/. */
  readonly demo: string | null;
  /** The built browser client, with presage.js, served at /client/. */
  readonly client: string | null;
}

/** What the demo page and simulated visitors need. */
export interface Demo {
  /** The tenant's public key that the demo page uses; made on first use. */
  key(tenant: string): Promise<string>;
  /** Removes simulated subjects and their data; how many subjects, and how many rows of ClickHouse. */
  reset(): Promise<{ readonly subjects: number; readonly rows: number }>;
}

/** What became of a feed's events, once worker and sink have passed these offsets (by partition). */
export type FeedStatusReader = (
  run: string,
  offsets: ReadonlyMap<number, number>,
) => Promise<{
  readonly passed: boolean;
  readonly totals: {
    readonly new: number;
    readonly duplicate: number;
    readonly dead: number;
    readonly again: number;
    readonly late: number;
  } | null;
}>;

/** Where people review decisions that wait for them; `tenant` null: of all. Throws `reviews_unavailable`, and what is said below. */
export interface ReviewDesk {
  list(tenant: string | null, limit: number): Promise<ReviewList>;
  /** Throws `unknown_review`. */
  one(tenant: string | null, id: string): Promise<ReviewDetail>;
  /** The first verdict stands. Throws `unknown_review`, `already_reviewed`, `review_expired`, `missing_content` and its like. */
  say(tenant: string | null, id: string, body: ReviewBody, by: string): Promise<ReviewDecided>;
}

/** State made anew while the one in force serves: for other features, or because it was lost. */
export interface Builds {
  /** Begins, unless that is under way or nothing is to do. Throws `workspace_invalid`, `build_running`. */
  begin(asked: {
    readonly kind: 'features' | 'rebuild';
    /** null = all. */
    readonly partition: number | null;
    readonly from: 'events' | 'log';
    /** Only tells what would change. */
    readonly dryRun: boolean;
  }): Promise<{
    readonly begun: boolean;
    readonly changes: {
      readonly added: readonly string[];
      readonly removed: readonly string[];
      readonly isOther: boolean;
      /** Only models are others: nothing has to be built. */
      readonly isStateSame: boolean;
    };
  }>;
  status(): Promise<BuildStatus>;
}

export interface BuildStatus {
  readonly build: {
    readonly generation: number;
    readonly kind: 'features' | 'rebuild' | 'workspace';
    readonly from: 'events' | 'log';
    readonly partitions: readonly {
      readonly partition: number;
      readonly phase: 'events' | 'log' | 'in force';
      readonly position: number;
      /** Of the log. */
      readonly end: number;
      readonly trouble: string | null;
    }[];
  } | null;
  /** What was built last, since the program was started. */
  readonly last: { readonly generation: number; readonly kind: string; readonly seconds: number } | null;
}

/** The log and all state in another number of partitions, while they serve. */
export interface Repartition {
  /** Begins, or says how far it is if that number is under way. Throws `usage`, `build_running`, `repartition_running`. */
  begin(asked: { readonly partitions: number }): Promise<RepartitionStatus>;
  /** Back to how it was, before producers wait. Throws `usage`, `repartition_running`: it is too late. */
  cancel(): Promise<RepartitionStatus>;
  status(): Promise<RepartitionStatus>;
}

export interface RepartitionStatus {
  /** In force now. */
  readonly partitions: number;
  readonly running: {
    readonly from: number;
    readonly to: number;
    /** Copying; holding producers back and changing over; deleting what is left of before, or what was copied in vain. */
    readonly phase: 'copying' | 'switching' | 'cleaning' | 'cancelling';
    /** Keys of Redis looked at so far, and how many there are about. */
    readonly copied: number;
    readonly keys: number;
    readonly trouble: string | null;
  } | null;
  /** What was done last, since the program was started. */
  readonly last: {
    readonly from: number;
    readonly to: number;
    readonly seconds: number;
    /** Milliseconds for which producers had to wait. */
    readonly heldMs: number;
    /** Topic of the log of before, which is left where it is; null: there is none. */
    readonly topicLeft: string | null;
  } | null;
}

/** All that the gateway needs of the world. */
export interface GatewayDeps {
  readonly log: EventLog;
  readonly store: StateStore;
  readonly workspace: CompiledWorkspace;
  readonly features: FeatureSet;
  /** null = this instance runs without ClickHouse: what reads from it answers `no_warehouse`. */
  readonly warehouse: Warehouse | null;
  readonly keys: KeyStore;
  readonly sessionSecrets: SessionSecrets;
  readonly decide: (request: DecideRequest) => Promise<readonly DecisionRecord[]>;
  /** The same, taking and recording nothing. Absent: the route is not there. */
  readonly explain?: (request: DecideRequest) => Promise<readonly DecisionRecord[]>;
  readonly control: ActionControl;
  /** Absent: this process has no review queue, and its routes are not there. */
  readonly reviews?: ReviewDesk;
  /** null = this process has no sink to ask: the route is not there. */
  readonly feedStatus: FeedStatusReader | null;
  /** null = this process builds no state: the routes are not there. */
  readonly builds?: Builds | null;
  /** null = this process can't change the partitions: the routes are not there. */
  readonly repartition?: Repartition | null;
  /** What uses log and state passes it. Absent: always open. */
  readonly gate?: Pick<Gate, 'enter'>;
  /** Every other role of this process. What ails one that is a source is told, and keeps nothing from being ready. */
  readonly roles: () => readonly {
    readonly name: string;
    readonly health: Health;
    readonly isSource?: boolean;
  }[];
  readonly throughput: ThroughputRecorder;
  readonly registry: Registry;
  readonly clock: Clock;
  readonly logger: Logger;
  readonly newId: () => string;
  readonly randomBytes: (length: number) => Uint8Array;
  /** The instance's own credential: opens everything, for all tenants. At least 32 characters. */
  readonly adminToken: string;
  /** Signs the console's cookies; the same after a restart, so that who is signed in stays so. */
  readonly consoleSecret: string;
  readonly host: string;
  /** 0 = any free port. */
  readonly port: number;
  readonly folders: Folders;
  readonly version: string;
  readonly simulating: () => boolean;
  /** null = the workspace has no demo: its routes are not there. */
  readonly demo: Demo | null;
}
