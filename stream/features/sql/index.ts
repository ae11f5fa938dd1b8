export { conditionSql } from './condition.ts';
export { type Bound, type KindSql, quoted, type SqlParts } from './port.ts';
export { amountOfText, amountSql, readable, textSql } from './properties.ts';
export { boundOf, type FeatureQuery, type FeatureQueryParts, featureQuery } from './query.ts';
