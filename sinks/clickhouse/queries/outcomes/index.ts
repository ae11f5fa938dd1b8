export { checkMetric, type LabelledDecision, type LabelledQuestion, labelledDecisions } from './labelled.ts';
export { type ResponseName, responses } from './labels.ts';
export { outcomeLift } from './lift.ts';
export { mostGroups, outcomeRates, type RatesBy, ratesBy } from './rates.ts';
export { metricNames, type OutcomeScope } from './scope.ts';
