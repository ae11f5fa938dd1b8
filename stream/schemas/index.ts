export * from './compatibility/index.ts';
export { confluentRegistry, type RegistrySettings } from './confluent-registry.ts';
export * from './decoder.ts';
export { frame, isFramed, jsonStart, schemaIdOf } from './framing.ts';
export * from './registry.ts';
