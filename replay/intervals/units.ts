import { groupOf, groupsOf, type Sample, type Terms } from '../estimators/sample.ts';
import { seededRandom } from '../random.ts';

/** What is drawn together: all rows of a subject, of a slate, or one row. */
export interface Units {
  readonly count: number;
  /** Unit of each row. */
  readonly of: Int32Array;
  /** Decisions and rows in each. */
  readonly decisions: Float64Array;
  readonly mostRows: number;
}

/** Sums over units of the numerators and denominators of one estimate: a pair for each of its ratios. */
export interface UnitSums {
  readonly ratios: readonly { readonly above: Float64Array; readonly below: Float64Array }[];
}

/** `key`: rows with the same number from 0 on belong together, one below 0 stands alone; null: every row does. */
export function unitsOf(
  sample: Pick<Sample, 'rows'>,
  key: Int32Array | null,
  decisionsOfRow: Float64Array | null,
): Units {
  const of = new Int32Array(sample.rows);
  const known = new Map<number, number>();
  let count = 0;
  for (let row = 0; row < sample.rows; row++) {
    const name = key === null ? -1 : (key[row] as number);
    const unit = name < 0 ? undefined : known.get(name);
    of[row] = unit ?? count++;
    if (unit === undefined && name >= 0) known.set(name, of[row] as number);
  }
  const decisions = new Float64Array(count);
  const rows = new Float64Array(count);
  for (let row = 0; row < sample.rows; row++) {
    const unit = of[row] as number;
    decisions[unit] =
      (decisions[unit] as number) + (decisionsOfRow === null ? 1 : (decisionsOfRow[row] as number));
    rows[unit] = (rows[unit] as number) + 1;
  }
  return { count, of, decisions, mostRows: rows.reduce((most, one) => Math.max(most, one), 0) };
}

/**
 * Units put together at random until there are at most `most`: sums over random bags vary as sums over their units do,
 * so intervals stay what they are and a large log costs no more than a middling one.
 */
export function bagged(units: Units, most: number, seed: number): Units {
  if (units.count <= most) return units;
  const random = seededRandom(seed);
  const bagOf = Int32Array.from({ length: units.count }, () => Math.floor(random() * most));
  const decisions = new Float64Array(most);
  for (let unit = 0; unit < units.count; unit++) {
    const bag = bagOf[unit] as number;
    decisions[bag] = (decisions[bag] as number) + (units.decisions[unit] as number);
  }
  return { ...units, count: most, of: units.of.map((unit) => bagOf[unit] as number), decisions };
}

/**
 * The sums of several estimates. Numbers that two of them share are summed once and are the same array in both, so that
 * a resample adds them once: IPS and SNIPS have the same numerators, and clipped estimates are mostly the others.
 */
export function sumsOfAll(list: readonly Terms[], sample: Sample, units: Units): UnitSums[] {
  const known = new Map<Float64Array, Float64Array>();
  const once = (key: Float64Array, sum: () => Float64Array): Float64Array => {
    const found = known.get(key) ?? sum();
    known.set(key, found);
    return found;
  };
  return list.map((terms) => {
    if (groupsOf(terms, sample) > 1) return sumsOf(terms, sample, units);
    const { numerator, denominator } = terms;
    const [ratio] = sumsOf(terms, sample, units).ratios;
    const own = ratio as UnitSums['ratios'][number];
    const below = denominator === null ? units.decisions : once(denominator, () => own.below);
    return { ratios: [{ above: once(numerator, () => own.above), below }] };
  });
}

export function sumsOf(terms: Terms, sample: Sample, units: Units): UnitSums {
  const { numerator, denominator } = terms;
  const ratios = Array.from({ length: groupsOf(terms, sample) }, () => ({
    above: new Float64Array(units.count),
    below: denominator === null ? units.decisions : units.decisions.slice(),
  }));
  for (let row = 0; row < sample.rows; row++) {
    const unit = units.of[row] as number;
    const { above, below } = ratios[groupOf(terms, sample, row)] as (typeof ratios)[number];
    above[unit] = (above[unit] as number) + (numerator[row] as number);
    if (denominator !== null) below[unit] = (below[unit] as number) + (denominator[row] as number) - 1;
  }
  return { ratios };
}
