import { systemTypes } from '../schemas/index.ts';
import { contentHash } from './canonical.ts';
import type { Compiling } from './compile-context.ts';
import type { CompiledFeature } from './compiled.ts';
import { compileExpression } from './expression.ts';

/** The event type that says what a person allows: purposes, granted, source. */
export const consentType = 'consent';

/** Names that no definition can have: nothing but constraints reads these features. */
export const consentFeature = (purpose: string): string => `consent.${purpose}`;
export const liveFeature = 'session.state';

/**
 * Features that constraints need: of each purpose for which consent matters the newest word on it, and whether a live
 * session is there. Being features, they are kept, moved, built anew and explained like all others.
 */
export function impliedFeatures({ source }: Compiling): readonly CompiledFeature[] {
  const purposes = Object.keys(source.purposes).filter((purpose) => isConsentAsked(source, purpose));
  const implied = purposes.map((purpose) =>
    lastOf(consentFeature(purpose), consentType, 'granted', `${JSON.stringify(purpose)} in event.purposes`),
  );
  const needsLive = Object.values(source.placements).some(({ live }) => live === true);
  return needsLive ? [...implied, lastOf(liveFeature, systemTypes.session, 'state', null)] : implied;
}

/** Whether anybody says that consent to this purpose matters. */
export function isConsentAsked({ purposes, tenants }: Compiling['source'], purpose: string): boolean {
  const stated = [
    purposes[purpose]?.consent,
    ...Object.values(tenants).map(({ consent }) => consent?.[purpose]),
  ];
  return stated.some((one) => one === 'required' || one === 'optional');
}

function lastOf(name: string, type: string, property: string, where: string | null): CompiledFeature {
  const names = {
    features: null,
    event: { properties: new Map(), isOpen: true },
    action: null,
    context: false,
  };
  const compiled = where === null ? null : compileExpression(where, 'bool', names);
  const expression = compiled?.ok ? compiled.expression : null;
  return {
    name,
    kind: 'last',
    hash: contentHash('feature', { kind: 'last', type, property, where }),
    types: new Set([type]),
    where: expression,
    bucketMs: 0,
    buckets: 0,
    property,
    propertyType: 'string',
    scale: 0,
    by: null,
    keys: 0,
    n: 0,
    max: 0,
    measure: null,
    halfLifeMs: 0,
    precision: 0,
    windowMs: 0,
    withinMs: 0,
    steps: [],
    derived: null,
  };
}
