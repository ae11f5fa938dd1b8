import type { RightCalibration } from '../schemas/index.ts';
import { contentHash } from './canonical.ts';
import { compileActions } from './compile-actions.ts';
import { checkExclusive } from './compile-caps.ts';
import { checkTenantRules } from './compile-constraints.ts';
import type { Compiling } from './compile-context.ts';
import { refersTo } from './compile-context.ts';
import { compileFeatures } from './compile-features.ts';
import { compileModels } from './compile-models.ts';
import { compileOutcomes } from './compile-outcomes.ts';
import { compilePlacements } from './compile-placements.ts';
import { isSharedFeature } from './compile-shared.ts';
import { compileTriggers } from './compile-triggers.ts';
import { compileTypes } from './compile-types.ts';
import type { CompiledTrigger, CompiledWorkspace, EventTrigger } from './compiled.ts';
import { durationMs } from './duration.ts';
import { checkEventType } from './event-names.ts';
import { featureTypes } from './feature-types.ts';
import { impliedFeatures } from './implied-features.ts';
import type { ModelFile } from './manifest.ts';
import { quote } from './problems.ts';
import { checkPurposes } from './purposes.ts';
import { stateTtlMs } from './state-ttl.ts';
import { nearest } from './suggest.ts';

export interface Files {
  /** Absolute path of the workspace's folder. */
  readonly folder: string;
  /** Models whose files are there, by id. */
  readonly models: ReadonlyMap<string, ModelFile>;
  /** Of actions' gates, by action. */
  readonly calibrations: ReadonlyMap<string, RightCalibration>;
}

/**
 * Resolves every name, compiles every expression, normalises every definition. Mistakes go to `compiling.report`;
 * the result is only to be used when there were none.
 */
export function compileWorkspace(compiling: Compiling, files: Files): CompiledWorkspace {
  const { source } = compiling;
  const tenants = compileTenants(compiling);
  const types = compileTypes(compiling);
  const names = featureTypes(compiling);
  const { features: declared, shared } = compileFeatures(compiling);
  const features = [...declared, ...impliedFeatures(compiling)];
  const allFeatures = [...features, ...shared];
  const models = compileModels(compiling, files.models, names, allFeatures);
  const actions = compileActions(compiling, names, files.calibrations);
  const placements = compilePlacements(compiling, actions, models, allFeatures, names);
  const triggers = compileTriggers(compiling, placements, names);
  for (const { name, kind, when } of triggers) {
    const read = when?.reads.find((feature) => isSharedFeature(source, feature));
    // It changes with events of others, at which nobody looks at this subject.
    if (kind !== 'event' && read !== undefined)
      compiling.report(
        ['triggers', name, 'when'],
        `expected features of the subject but ${quote(read)} is shared; only triggers on an event can read it`,
      );
  }
  checkExclusive(compiling);
  checkTenantRules(compiling);
  checkPurposes(compiling, placements, allFeatures);
  const modelHashes = [...models.values()].map(({ id, sha256, manifest }) =>
    manifest === undefined ? [id, sha256] : [id, sha256, manifest],
  );
  return {
    source,
    name: source.name,
    folder: files.folder,
    hash: contentHash('workspace', {
      source,
      models: modelHashes,
      ...(files.calibrations.size === 0 ? {} : { calibrations: [...files.calibrations] }),
    }),
    tenants,
    eventsAreOpen: source.events === 'open',
    types,
    features,
    shared,
    placements,
    triggers,
    triggersByType: byType(triggers),
    models,
    outcomes: compileOutcomes(compiling),
    scoringBudgetMs: durationMs(source.scoring.budget),
    deduplicationIds: source.deduplication.ids,
    deduplicationMs: durationMs(source.deduplication.window),
    sessionGapMs: durationMs(source.session.gap),
    timersDelayMs: durationMs(source.timers.delay),
    stateTtlMs: stateTtlMs(compiling, features, triggers),
  };
}

function compileTenants(compiling: Compiling): CompiledWorkspace['tenants'] {
  const { source, names, report } = compiling;
  if (names.tenants.size === 0) report(['tenants'], 'expected at least one tenant', { at: 'key' });
  if (source.feed.tenant !== undefined)
    refersTo(compiling, 'tenants', source.feed.tenant, ['feed', 'tenant']);
  for (const [name, { tenant, type }] of Object.entries(source.sources)) {
    refersTo(compiling, 'tenants', tenant, ['sources', name, 'tenant']);
    if (type !== undefined) checkEventType(compiling, type, ['sources', name, 'type']);
  }
  const tenants = new Map<string, { name: string; currency: string; timezone: string }>();
  for (const [name, tenant] of Object.entries(source.tenants)) {
    if (!isTimezone(tenant.timezone)) {
      const suggestion = nearest(tenant.timezone, Intl.supportedValuesOf('timeZone'));
      const found = quote(tenant.timezone);
      report(['tenants', name, 'timezone'], `expected a time zone such as Europe/Paris but found ${found}`, {
        suggestion,
      });
    }
    tenants.set(name, { name, currency: tenant.currency, timezone: tenant.timezone });
  }
  return tenants;
}

function isTimezone(name: string): boolean {
  try {
    return new Intl.DateTimeFormat('en', { timeZone: name }).resolvedOptions().timeZone !== '';
  } catch {
    return false;
  }
}

function byType(triggers: readonly CompiledTrigger[]): ReadonlyMap<string, readonly EventTrigger[]> {
  const grouped = new Map<string, EventTrigger[]>();
  for (const trigger of triggers) {
    if (trigger.kind !== 'event') continue;
    const same = grouped.get(trigger.on);
    if (same === undefined) grouped.set(trigger.on, [trigger]);
    else same.push(trigger);
  }
  return grouped;
}
