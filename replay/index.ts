export { type BacktestOptions, backtest } from './backtest.ts';
export type { Diagnostics } from './diagnostics.ts';
export { type Assumption, assumptions } from './estimators/assumption.ts';
export type { Expected } from './estimators/modelled.ts';
export { type CompareOptions, compareLearned } from './learned/compare.ts';
export type { LearnedReport } from './learned/report.ts';
export { type ByAction, type LoggedDecision, readDecision } from './log/decision.ts';
export { type DecisionLog, DecisionLogWriter } from './log/decision-log.ts';
export { type Answers, nothing, type OwnDecision, ownDecision } from './log/own.ts';
export { loggedPolicy, type Policy, policyOfRows } from './policy/policy.ts';
export { parseTable, policyOfTable, type Table } from './policy/table.ts';
export {
  type Backtest,
  type Estimate,
  type EstimateName,
  estimateNames,
  type Verdict,
  verdictOf,
} from './report.ts';
export { expectedOfRows, expectedOfTable } from './reward/given.ts';
