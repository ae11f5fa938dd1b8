export * from './compiled.ts';
export { durationMs, formatDuration } from './duration.ts';
export { undeclaredTypes } from './event-names.ts';
export { workspaceJsonSchema } from './json-schema.ts';
export { loadWorkspace, workspaceFile } from './load.ts';
export { formatProblem, formatProblems, type Problem, WorkspaceError } from './problems.ts';
export { nearest } from './suggest.ts';
