import { boundOf } from '../../stream/features/sql/index.ts';
import { differenceOf } from './compare.ts';
import { type Computed, computeFeatures } from './compute.ts';
import { untranslated } from './conditions.ts';
import { apart, silencesOf } from './forgotten.ts';
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
  let forgotten = 0;
  let repeats = 0;
  const asked = new Set<string>();
  const readers: Served[] = [];
  for (let from = 0; from < sample.ids.length; from += decisionsPerQuery) {
    const ids = sample.ids.slice(from, from + decisionsPerQuery);
    const all = await servedTo(options.ask, ids);
    readers.push(...all.map((one) => ofAll(one, workspace)).filter(({ snapshot }) => snapshot !== null));
    const served = all.map((one) => ofTheSubject(one, workspace));
    forgotten += await compareBlock(options, served, tally);
    repeats += await repeatsOf(options.ask, served, asked);
    compared += ids.length;
    options.progress?.(compared, sample.ids.length);
  }
  const shared = await checkShared(options, sample, readers, tally);
  return {
    ok: tally.isEqual(),
    workspace: workspace.hash,
    decisions: {
      compared,
      otherWorkspace: sample.otherWorkspace,
      notYetStored: sample.notYetStored,
      forgotten,
    },
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

/** Returns how many decisions were equal only from a silence on after which their subject had been forgotten. */
async function compareBlock(
  options: ParityOptions,
  served: readonly Served[],
  tally: Tally,
): Promise<number> {
  const computed = await computeFeatures(options, served, 'values');
  for (const decision of served)
    tally.compared(Object.keys({ ...computed.get(decision.id), ...decision.features }));
  const suspects = thoseOf(served, differencesOf(options, served, computed));
  if (suspects.length === 0) return 0;
  await options.pause(sinkPauseMs);
  const again = await computeFeatures(options, suspects, 'values');
  const differences = differencesOf(options, suspects, again);
  const differing = thoseOf(suspects, differences);
  const beyond = await computeFeatures(options, differing, 'beyond');
  const isBeyondLimits = ({ decision, feature }: Pick<Difference, 'decision' | 'feature'>): boolean =>
    Number(beyond.get(decision)?.[feature] ?? 0) !== 0;
  const exact = thoseOf(
    differing,
    differences.filter((difference) => !isBeyondLimits(difference)),
  );
  const anew = await begunAnew(options, exact, isBeyondLimits);
  const counted = differences.filter(({ decision }) => !anew.has(decision)).concat([...anew.values()].flat());
  for (const difference of counted)
    tally.differs({ ...difference, isBeyondLimits: isBeyondLimits(difference) });
  return anew.size;
}

/** Those that are equal from one of their subject's silences on, with what differs then beyond documented limits. */
async function begunAnew(
  options: ParityOptions,
  decisions: readonly Served[],
  isBeyondLimits: (difference: Pick<Difference, 'decision' | 'feature'>) => boolean,
): Promise<ReadonlyMap<string, Omit<Difference, 'isBeyondLimits'>[]>> {
  const anew = new Map<string, Omit<Difference, 'isBeyondLimits'>[]>();
  const silences = await silencesOf(options, decisions);
  for (let nth = 0; nth < Math.max(0, ...[...silences.values()].map(({ length }) => length)); nth++) {
    const looks = decisions.flatMap((of) => {
      const since = silences.get(of.id)?.[nth];
      return since === undefined || anew.has(of.id) ? [] : [{ of, since }];
    });
    for (const list of apart(looks)) {
      const some = list.map(({ of }) => of);
      const computed = await computeFeatures(
        options,
        some,
        'values',
        new Map(list.map(({ of, since }) => [of.id, since])),
      );
      const differences = differencesOf(options, some, computed);
      for (const { id } of some) {
        const own = differences.filter(({ decision }) => decision === id);
        if (own.every(isBeyondLimits)) anew.set(id, own);
      }
    }
  }
  return anew;
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
