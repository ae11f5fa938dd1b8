export type {
  ActionControl,
  BuildStatus,
  Builds,
  Demo,
  FeedStatusReader,
  Folders,
  GatewayDeps,
  Repartition,
  RepartitionStatus,
  ReviewDesk,
} from './deps.ts';
export { type Gateway, makeGateway, type RouteInfo } from './gateway.ts';
export { parseTime } from './ingest/time.ts';
export * from './keys/index.ts';
export {
  makeSessions,
  type SessionIdentity,
  type SessionParts,
  type SessionSecrets,
  type Sessions,
  type SocketCredentials,
} from './sessions.ts';
export * from './sources/index.ts';
export { makeThroughput, type ThroughputRecorder } from './throughput.ts';
