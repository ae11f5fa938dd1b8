import type { WorkspaceSource } from '../schemas/index.ts';
import { type Compiling, refersTo } from './compile-context.ts';
import type { CompiledAction, CompiledPlacement, QuietHours } from './compiled.ts';
import type { CelType } from './expression-names.ts';
import { consentFeature, isConsentAsked, liveFeature } from './implied-features.ts';
import type { Path } from './problems.ts';

/** Whether an action of this purpose needs consent, by tenant; absent: nobody asks for any. */
export function compileConsent(
  { source }: Compiling,
  purpose: string | undefined,
): Pick<CompiledAction, 'consent'> {
  if (purpose === undefined || !isConsentAsked(source, purpose)) return {};
  const { tenants, purposes } = source;
  const rule = (tenant: string) =>
    tenants[tenant]?.consent?.[purpose] ?? purposes[purpose]?.consent ?? 'none';
  return { consent: { purpose, feature: consentFeature(purpose), rule } };
}

/** The mode of an action by tenant, where any tenant states one. */
export function compileModes(
  { source }: Compiling,
  action: string,
  own: CompiledAction['mode'],
): Pick<CompiledAction, 'modeFor'> {
  const { tenants } = source;
  const isStated = Object.values(tenants).some(({ mode, modes }) => mode === 'observe' || modes?.[action]);
  if (!isStated) return {};
  return {
    modeFor: (tenant) =>
      tenants[tenant]?.modes?.[action] ?? (tenants[tenant]?.mode === 'observe' ? 'observe' : own),
  };
}

/** When and to whom a placement may speak at all. */
export function compileOpening(
  compiling: Compiling,
  name: string,
  features: ReadonlyMap<string, CelType>,
): Pick<CompiledPlacement, 'quietHours' | 'liveFeature'> {
  const { source } = compiling;
  const { quiet_hours: own, channel, live } = source.placements[name] ?? {};
  const shared = channel === undefined ? undefined : source.channels?.[channel]?.quiet_hours;
  const hours = [
    compileQuiet(compiling, own, ['placements', name, 'quiet_hours'], features),
    compileQuiet(compiling, shared, ['channels', channel ?? '', 'quiet_hours'], features),
  ].filter((one) => one !== null);
  return {
    ...(hours.length === 0 ? {} : { quietHours: hours }),
    ...(live === true ? { liveFeature } : {}),
  };
}

type QuietSource = NonNullable<WorkspaceSource['placements'][string]['quiet_hours']>;

function compileQuiet(
  compiling: Compiling,
  quiet: QuietSource | undefined,
  path: Path,
  features: ReadonlyMap<string, CelType>,
): QuietHours | null {
  if (quiet === undefined) return null;
  const { tenants } = compiling.source;
  const { from, to, timezone } = quiet;
  if (from === to) compiling.report([...path, 'to'], `expected another time than ${from}, when they begin`);
  if (timezone !== undefined && refersTo(compiling, 'features', timezone, [...path, 'timezone'])) {
    const type = features.get(timezone);
    if (type !== undefined && type !== 'string')
      compiling.report([...path, 'timezone'], `expected a feature that is a text, such as kind: last`);
  }
  return {
    text: `quiet hours ${from}-${to}`,
    fromMinute: minuteOf(from),
    toMinute: minuteOf(to),
    feature: timezone ?? null,
    timezoneOf: (tenant) => tenants[tenant]?.timezone ?? 'UTC',
  };
}

const minuteOf = (time: string): number => Number(time.slice(0, 2)) * 60 + Number(time.slice(3));

/** Tenants may speak of purposes and actions that are there. */
export function checkTenantRules(compiling: Compiling): void {
  for (const [name, { consent = {}, modes = {} }] of Object.entries(compiling.source.tenants)) {
    for (const purpose of Object.keys(consent))
      refersTo(compiling, 'purposes', purpose, ['tenants', name, 'consent', purpose]);
    for (const action of Object.keys(modes))
      refersTo(compiling, 'actions', action, ['tenants', name, 'modes', action]);
  }
}
