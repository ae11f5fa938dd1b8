import type { WorkspaceSource } from '../../schemas/index.ts';
import { isIdName, isPersonalName, type Look, personalLooks } from './looks.ts';
import type { EventProfile, PropertyProfile, TypeProfile, ValueType } from './profile.ts';

export interface ProposedProperty {
  readonly name: string;
  /** null: of several types, so that any declaration would refuse events. */
  readonly type: ValueType | null;
  /** What a person should know before pasting it. */
  readonly comment: string;
}

export interface ProposedType {
  readonly type: string;
  readonly seen: number;
  /** The workspace declares it already; only properties that it lacks are proposed. */
  readonly isDeclared: boolean;
  readonly properties: readonly ProposedProperty[];
  /** Properties that every event had; proposed for new types only. */
  readonly required: readonly string[];
  /** About the type as a whole, and about declarations that events did not keep to. */
  readonly remarks: readonly string[];
}

/** So many events have to have a property, all of them, before it is proposed as required. */
const fewestForRequired = 20;
const fewestForIds = 50;
/** How many of the values have to look alike before it is said. */
const mostly = 0.8;

/** What to declare of the observed events that is not declared yet, the most frequent first. */
export function propose(profile: EventProfile, declared: WorkspaceSource['types']): readonly ProposedType[] {
  const proposals: ProposedType[] = [];
  for (const [type, seen] of profile.types) {
    if (type.startsWith('$')) continue;
    const known = Object.hasOwn(declared, type) ? declared[type] : undefined;
    const proposal = proposeType(type, seen, known);
    if (known === undefined || proposal.properties.length > 0 || proposal.remarks.length > 0)
      proposals.push(proposal);
  }
  return proposals.sort((a, b) => b.seen - a.seen || (a.type < b.type ? -1 : 1));
}

function proposeType(
  type: string,
  profile: TypeProfile,
  known: WorkspaceSource['types'][string] | undefined,
): ProposedType {
  const names = [...profile.properties.keys()].sort();
  const isKnown = (name: string): boolean => known !== undefined && Object.hasOwn(known.properties, name);
  const properties = names
    .filter((name) => !isKnown(name))
    .map((name) => proposeProperty(name, profile.properties.get(name) as PropertyProfile, profile.seen));
  const required = properties.filter(({ name, type: found }) => {
    const seen = profile.properties.get(name) as PropertyProfile;
    return found !== null && profile.seen >= fewestForRequired && seen.present - seen.nulls === profile.seen;
  });
  const remarks: string[] = [];
  if (profile.overflowing > 0)
    remarks.push(
      `${count(profile.overflowing)} had more properties than are looked at; perhaps names are data`,
    );
  for (const name of names.filter(isKnown)) {
    const wrong = mismatch(profile.properties.get(name) as PropertyProfile, known?.properties[name]);
    if (wrong !== null) remarks.push(`${name} is declared ${known?.properties[name]}, but ${wrong}`);
  }
  for (const name of known?.required ?? []) {
    const seen = profile.properties.get(name);
    const without = profile.seen - (seen === undefined ? 0 : seen.present - seen.nulls);
    if (without > 0) remarks.push(`${name} is required, but ${share(without, profile.seen)} had none`);
  }
  return {
    type,
    seen: profile.seen,
    isDeclared: known !== undefined,
    properties,
    required: known === undefined ? required.map(({ name }) => name) : [],
    remarks,
  };
}

function proposeProperty(name: string, profile: PropertyProfile, seen: number): ProposedProperty {
  const types = [...profile.byType.entries()].sort((a, b) => b[1] - a[1]);
  const values = profile.present - profile.nulls;
  const personal = personalHint(name, profile, values);
  const parts = [`in ${share(profile.present, seen)}`];
  if (profile.nulls > 0) parts.push(`${share(profile.nulls, profile.present)} null`);
  const [only] = types;
  const isMixed = types.length !== 1;
  if (types.length > 1) {
    const mix = types.map(([type, times]) => `${share(times, values)} ${type}`).join(', ');
    parts.push(`MIXED: ${mix}; declare one and the others are refused`);
  }
  if (types.length === 0) parts.push('never had a value');
  // What may be personal is not copied into a file.
  if (personal !== null) parts.push(`PERSONAL? ${personal}; examples are left out`);
  else parts.push(...shownValues(profile, only?.[0]));
  const look = lookHint(profile, values);
  if (look !== null) parts.push(look);
  const id = personal === null ? idHint(name, profile, values) : null;
  if (id !== null) parts.push(id);
  return { name, type: isMixed ? null : (only?.[0] ?? null), comment: parts.join('; ') };
}

function shownValues(profile: PropertyProfile, type: ValueType | undefined): string[] {
  if (type === 'number' && profile.byType.size === 1) {
    return [
      profile.least === profile.greatest
        ? `always ${profile.least}`
        : `${profile.least} to ${profile.greatest}`,
    ];
  }
  return profile.examples.size === 0 ? [] : [`e.g. ${[...profile.examples].join(', ')}`];
}

function personalHint(name: string, profile: PropertyProfile, values: number): string | null {
  for (const look of personalLooks) {
    const times = profile.looks.get(look) ?? 0;
    // Numbers pass for cards by chance; one e-mail address in a hundred is worth a look.
    const needed = look === 'e-mail address' ? 0.01 : mostly;
    if (values > 0 && times / values >= needed) return `${share(times, values)} look like ${article(look)}`;
  }
  return isPersonalName(name) ? 'by its name' : null;
}

const textLooks: readonly Look[] = ['number', 'date', 'boolean'];

function lookHint(profile: PropertyProfile, values: number): string | null {
  for (const look of textLooks) {
    const times = profile.looks.get(look) ?? 0;
    if (values > 0 && times / values >= mostly) return `text that looks like ${article(look)}`;
  }
  return null;
}

function idHint(name: string, profile: PropertyProfile, values: number): string | null {
  const isText = profile.byType.has('string');
  const isMany = profile.distinct.size >= 0.9 * profile.counted;
  if (isText && values >= fewestForIds && isMany) return 'an id? hardly a value comes twice';
  return isIdName(name) ? 'an id?' : null;
}

function mismatch(profile: PropertyProfile, declared: ValueType | undefined): string | null {
  const values = profile.present - profile.nulls;
  const others = [...profile.byType].filter(([type]) => type !== declared);
  if (others.length === 0) return null;
  return others.map(([type, times]) => `${share(times, values)} were ${type}`).join(', ');
}

/** `100%`, `12.3%`, `<0.1%`; 100% means all. */
export function share(part: number, whole: number): string {
  if (part === whole) return '100%';
  const percent = (100 * part) / whole;
  if (percent < 0.1) return '<0.1%';
  return percent > 99.9 ? '>99.9%' : `${percent >= 10 ? Math.round(percent * 10) / 10 : percent.toFixed(1)}%`;
}

export const count = (number: number): string => number.toLocaleString('en-US');
const article = (look: Look): string => (/^[aeiI]/.test(look) ? `an ${look}` : `a ${look}`);
