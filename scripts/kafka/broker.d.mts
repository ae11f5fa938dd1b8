export interface BrokerOptions {
  /** Its data, settings and log; a folder used before is started again as it was left. */
  readonly folder: string;
  /** On 127.0.0.1; a free one if left out. */
  readonly port?: number;
  readonly heapMb?: number;
  /** Lines of server.properties on top of ours. */
  readonly settings?: Readonly<Record<string, string | number | boolean>>;
  /** Starts sooner and runs slower; false where speed is measured. Default true. */
  readonly quick?: boolean;
}

export interface Broker {
  /** host:port for clients. */
  readonly address: string;
  readonly port: number;
  readonly pid: number;
  readonly logFile: string;
  /** SIGTERM, then SIGKILL after 20 s. */
  stop(): Promise<void>;
  /** SIGKILL, as a crash. */
  kill(): Promise<void>;
}

export function startBroker(options: BrokerOptions): Promise<Broker>;
export function freePort(): Promise<number>;
