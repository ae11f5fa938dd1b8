import { boundOf } from '../../stream/features/sql/index.ts';
import { differenceOf } from './compare.ts';
import { type Computed, computeFeatures } from './compute.ts';
import { untranslated } from './conditions.ts';
import type { Difference, ParityOptions, ParityReport, Served } from './port.ts';
import { repeatsOf, sampleDecisions, servedTo } from './sample.ts';
import { checkShared } from './shared.ts';
import { makeTally, type Tally } from './tally.ts';

/** Decisions computed by one query. */
const decisionsPerQuery = 400;
/** The sink writes a block's tables one after the other, so what differs is asked for a second time. */
const sinkPauseMs = 1_000;

/** Computes the features of sampled decisions from events and holds them against what was served. */
export async function checkParity(options: ParityOptions): Promise<ParityReport> {
  const { workspace } = options;
  const sample = await sampleDecisions(options);
  const tally = makeTally([...workspace.features, ...workspace.shared]);
  let compared = 0;
  let repeats = 0;
  const asked = new Set<string>();
  const readers: Served[] = [];
  for (let from = 0; from < sample.ids.length; from += decisionsPerQuery) {
    const ids = sample.ids.slice(from, from + decisionsPerQuery);
    const all = await servedTo(options.ask, ids);
    readers.push(...all.map((one) => ofAll(one, workspace)).filter(({ snapshot }) => snapshot !== null));
    const served = all.map((one) => ofTheSubject(one, workspace));
    await compareBlock(options, served, tally);
    repeats += await repeatsOf(options.ask, served, asked);
    compared += ids.length;
    options.progress?.(compared, sample.ids.length);
  }
  const shared = await checkShared(options, sample, readers, tally);
  return {
    ok: tally.isEqual(),
    workspace: workspace.hash,
    decisions: { compared, otherWorkspace: sample.otherWorkspace, notYetStored: sample.notYetStored },
    features: tally.features(),
    shared,
    differences: tally.shown(),
    repeats,
    conditionsByEngine: untranslated(workspace.features),
  };
}

/** What all subjects share is no function of the subject's log position: it is looked at by itself. */
function ofTheSubject(served: Served, { shared }: ParityOptions['workspace']): Served {
  const names = new Set(shared.map(({ name }) => name));
  const own = Object.entries(served.features).filter(([name]) => !names.has(name));
  return { ...served, features: Object.fromEntries(own) };
}

/** Nothing but what all subjects share. */
function ofAll(served: Served, { shared }: ParityOptions['workspace']): Served {
  const read = shared.flatMap(({ name }) =>
    name in served.features ? [[name, served.features[name] ?? null] as const] : [],
  );
  return { ...served, features: Object.fromEntries(read) };
}

async function compareBlock(options: ParityOptions, served: readonly Served[], tally: Tally): Promise<void> {
  const computed = await computeFeatures(options, served, 'values');
  for (const decision of served)
    tally.compared(Object.keys({ ...computed.get(decision.id), ...decision.features }));
  const suspects = thoseOf(served, differencesOf(options, served, computed));
  if (suspects.length === 0) return;
  await options.pause(sinkPauseMs);
  const again = await computeFeatures(options, suspects, 'values');
  const differences = differencesOf(options, suspects, again);
  const beyond = await computeFeatures(options, thoseOf(suspects, differences), 'beyond');
  for (const difference of differences) {
    const isBeyondLimits = Number(beyond.get(difference.decision)?.[difference.feature] ?? 0) !== 0;
    tally.differs({ ...difference, isBeyondLimits });
  }
}

function thoseOf(served: readonly Served[], differences: readonly { readonly decision: string }[]): Served[] {
  const ids = new Set(differences.map(({ decision }) => decision));
  return served.filter(({ id }) => ids.has(id));
}

function differencesOf(
  { workspace }: ParityOptions,
  served: readonly Served[],
  computed: Computed,
): Omit<Difference, 'isBeyondLimits'>[] {
  const bounds = new Map(workspace.features.map((feature) => [feature.name, boundOf(feature)]));
  return served.flatMap(({ id, subject, partition, position, time, features }) => {
    const values = { ...computed.get(id) };
    // From the served values of their inputs, which are compared with SQL themselves.
    for (const { name, derived } of workspace.features)
      if (derived !== null) values[name] = derived.compute(features);
    return Object.keys({ ...values, ...features }).flatMap((feature) => {
      const kind = differenceOf(features[feature], values[feature], bounds.get(feature) ?? null);
      if (kind === null) return [];
      const both = { served: features[feature] ?? null, computed: values[feature] ?? null };
      return [{ kind, feature, decision: id, subject, partition, position, time, ...both }];
    });
  });
}
