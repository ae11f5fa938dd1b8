import { contentHash } from './canonical.ts';
import { eventsBefore } from './compile-actions.ts';
import { compilePlacementCaps } from './compile-caps.ts';
import { compileOpening } from './compile-constraints.ts';
import { type Compiling, refersTo } from './compile-context.ts';
import { compileExploration } from './compile-exploration.ts';
import { compileLadder } from './compile-ladder.ts';
import type { CompiledAction, CompiledFeature, CompiledModel, CompiledPlacement } from './compiled.ts';
import { durationMs } from './duration.ts';
import type { CelType } from './expression-names.ts';
import { featureOfInput } from './model-inputs.ts';
import { quote } from './problems.ts';

const mostActions = 200;

/** Placements with the actions that can be shown in them. */
export function compilePlacements(
  compiling: Compiling,
  all: ReadonlyMap<string, CompiledAction>,
  models: ReadonlyMap<string, CompiledModel>,
  features: readonly CompiledFeature[],
  names: ReadonlyMap<string, CelType>,
): ReadonlyMap<string, CompiledPlacement> {
  const { source, report } = compiling;
  const placements = new Map<string, CompiledPlacement>();
  for (const [name, placement] of Object.entries(source.placements)) {
    const path = ['placements', name];
    if (placement.model !== undefined) refersTo(compiling, 'models', placement.model, [...path, 'model']);
    const actions = [...all.values()].filter((action) =>
      source.actions[action.name]?.placements.includes(name),
    );
    if (actions.length > mostActions) {
      report(path, `expected at most ${mostActions} actions in a placement but found ${actions.length}`, {
        at: 'key',
      });
    }
    // A person looks at one action, and says so of the whole decision.
    const gated = actions.find(({ gate }) => gate !== null);
    if (gated !== undefined && (placement.slots ?? 1) > 1)
      report(
        [...path, 'slots'],
        `expected one slot, since ${quote(gated.name)} has a gate: give it a placement of its own`,
      );
    const model = placement.model === undefined ? null : (models.get(placement.model) ?? null);
    const expiresMs = durationMs(placement.expires);
    const ladder = compileLadder(compiling, name, models, actions);
    const exploration = compileExploration(compiling, name, actions, names, eventsBefore(compiling, [name]));
    const scorers = [model, ladder.fallback ?? null] as const;
    const policy = policyOf(compiling, name, actions, exploration, scorers, features);
    const caps = compilePlacementCaps(compiling, name);
    const shared = {
      ...(caps.length === 0 ? {} : { caps }),
      ...compileOpening(compiling, name, names),
      ...(source.holdout === undefined ? {} : { holdout: source.holdout }),
    };
    placements.set(name, { name, expiresMs, model, ...exploration, ...ladder, ...shared, actions, policy });
  }
  return placements;
}

/** Everything that decides in a placement, by content: a change of any of it is another policy. */
function policyOf(
  { source }: Compiling,
  placement: string,
  actions: readonly CompiledAction[],
  explores: Pick<CompiledPlacement, 'nothing' | 'exploration'>,
  [model, fallback]: readonly [CompiledModel | null, CompiledModel | null],
  features: readonly CompiledFeature[],
): string {
  const expressions = actions.flatMap((action) => [
    ...action.rules.map(({ expression }) => expression),
    action.value,
    action.weight,
    action.lever,
  ]);
  const own = explores.exploration;
  const beliefs = own?.kind === 'thompson' ? [own.alpha, own.beta] : [];
  const read = new Set(
    [...expressions, ...beliefs, explores.nothing].flatMap((one) =>
      typeof one === 'object' ? one.reads : [],
    ),
  );
  for (const input of [...(model?.inputs ?? []), ...(fallback?.inputs ?? [])])
    read.add(featureOfInput(input) ?? input);
  const groups = new Set(actions.flatMap(({ group }) => group ?? []));
  return contentHash('policy', {
    placement,
    expires: source.placements[placement]?.expires,
    // In order: it breaks ties.
    actions: actions.map(({ name }) => [name, { ...source.actions[name], description: undefined }]),
    ...calibrationsOf(actions),
    groups:
      groups.size === 0
        ? undefined
        : [...groups].map((name) => [name, { ...source.groups?.[name], description: undefined }]),
    ...constraintsOf(source, placement, actions),
    model: model === null ? null : contentOf(model),
    ...(fallback === null ? {} : { fallback: contentOf(fallback) }),
    holdout: source.holdout && { ...source.holdout, description: undefined },
    slots: source.placements[placement]?.slots,
    nothing: source.placements[placement]?.nothing,
    exploration: source.placements[placement]?.exploration,
    ...(source.placements[placement]?.default === undefined
      ? {}
      : { default: source.placements[placement]?.default }),
    features: features.filter(({ name }) => read.has(name)).map(({ name, hash }) => [name, hash]),
  });
}

/** What a placement constrains, its channel included; nothing where it says nothing. */
function constraintsOf(
  { placements, channels, purposes, tenants }: Compiling['source'],
  name: string,
  actions: readonly CompiledAction[],
): object {
  const { caps, channel, quiet_hours, live } = placements[name] ?? {};
  const through = channel === undefined ? undefined : { ...channels?.[channel], description: undefined };
  const consent = [...new Set(actions.flatMap(({ purpose }) => purpose ?? []))].flatMap((purpose) =>
    purposes[purpose]?.consent === undefined ? [] : [[purpose, purposes[purpose].consent]],
  );
  const rules = Object.entries(tenants).flatMap(([tenant, { consent, mode, modes }]) =>
    (consent ?? mode ?? modes) ? [[tenant, { consent, mode, modes }]] : [],
  );
  const all = {
    caps,
    channel,
    through,
    quiet_hours,
    live,
    consent: consent.length === 0 ? undefined : consent,
    rules: rules.length === 0 ? undefined : rules,
  };
  return Object.values(all).every((one) => one === undefined) ? {} : { constraints: all };
}

/** What gates let pass: their files may change where their names do not. */
function calibrationsOf(actions: readonly CompiledAction[]): object {
  const found = actions.flatMap(({ name, gate }) => (gate?.calibration ? [[name, gate.calibration]] : []));
  return found.length === 0 ? {} : { calibrations: found };
}

/** What a model is, wherever it lies. */
const contentOf = (model: CompiledModel): unknown => ({
  ...model,
  path: undefined,
  // Their content is in the manifest's hash.
  calibration: undefined,
  quantised: undefined,
});
