export * from './compatibility/index.ts';
export { confluentRegistry, type RegistrySettings } from './confluent-registry.ts';
export * from './decoder.ts';
export { framedLog, type SchemaIds } from './framed-log.ts';
export { frame, isFramed, jsonStart, jsonText, schemaIdOf } from './framing.ts';
export * from './register.ts';
export * from './registry.ts';
export * from './subjects.ts';
