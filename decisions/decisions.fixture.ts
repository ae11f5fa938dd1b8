import type {
  CompiledAction,
  CompiledPlacement,
  CompiledRule,
  Expression,
  RuleStage,
} from '../workspace/index.ts';
import type { Question, Scores } from './index.ts';

/** An expression over one feature, without the workspace's compiler: kernel tests need only its contract. */
export function above(feature: string, limit: number): Expression<boolean> {
  return {
    text: `${feature} > ${limit}`,
    reads: [feature],
    readsAction: false,
    evaluate: ({ features }) => {
      const value = features[feature];
      return typeof value === 'number'
        ? { kind: 'value', value: value > limit }
        : { kind: 'missing', name: feature };
    },
    saw: ({ features }) => ({ [feature]: features[feature] ?? null }),
  };
}

export const rule = (stage: RuleStage, expression: Expression<boolean>): CompiledRule => ({
  stage,
  expression,
  path: [],
});

export function action(name: string, changes: Partial<CompiledAction> = {}): CompiledAction {
  return {
    name,
    group: null,
    rules: [],
    gate: null,
    value: 1,
    weight: 1,
    lever: 1,
    attributes: {},
    purpose: null,
    caps: [],
    mode: 'act',
    content: { title: name },
    rulesProbability: 0.1,
    ...changes,
  };
}

export function question(actions: readonly CompiledAction[], changes: Partial<Question> = {}): Question {
  const placement: CompiledPlacement = {
    name: 'banner',
    expiresMs: 60_000,
    model: null,
    actions,
    policy: 'p1',
  };
  return {
    id: 'd1',
    tenant: 'shop',
    subject: 'a:x',
    session: 's1',
    placement,
    startedBy: { kind: 'trigger', trigger: 't', event: 'e1', eventType: 'view' },
    time: 1_000_000,
    simulated: false,
    log: { partition: 0, position: 7 },
    features: {},
    event: {},
    context: null,
    receivedAt: 1_000_000,
    workspace: 'w1',
    stopped: false,
    featuresMs: 0,
    ...changes,
  };
}

export const scores = (...acceptProbabilities: number[]): Scores => ({
  acceptProbabilities,
  rung: 'champion',
  rungReason: 'in_time',
  model: null,
  scoringMs: 0,
});
