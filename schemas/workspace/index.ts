export { type FeatureSource, featureDefinition } from './features.ts';
export { outcomes as outcomesSource } from './outcomes.ts';
export type { SourceDefinition } from './sources.ts';
export { propertyType } from './types.ts';
export { type WorkspaceSource, workspaceSource } from './workspace.ts';
