import { type Comparison, report } from './difference.ts';

type Keywords = Readonly<Record<string, unknown>>;

/** Keywords whose value may only fall, or only rise, from writer to reader; by the type they are about. */
const limits = [
  ['string', 'maxLength', 'upper'],
  ['string', 'minLength', 'lower'],
  ['number', 'maximum', 'upper'],
  ['number', 'exclusiveMaximum', 'upper'],
  ['number', 'minimum', 'lower'],
  ['number', 'exclusiveMinimum', 'lower'],
  ['array', 'maxItems', 'upper'],
  ['array', 'minItems', 'lower'],
  ['object', 'maxProperties', 'upper'],
  ['object', 'minProperties', 'lower'],
] as const;

/** Limits of the reader that a value of the writer can break. */
export function compareLimits(
  comparison: Comparison,
  writer: Keywords,
  reader: Keywords,
  types: readonly string[],
): void {
  for (const [type, keyword, side] of limits) {
    if (!types.includes(type) && !(type === 'number' && types.includes('integer'))) continue;
    const limit = reader[keyword];
    if (typeof limit !== 'number') continue;
    const before = writer[keyword];
    if (typeof before !== 'number') {
      report(
        comparison,
        `${snake(keyword)}_added`,
        `${keyword} ${limit} is new: values beyond it were allowed`,
      );
    } else if (side === 'upper' ? limit < before : limit > before) {
      const rule = `${snake(keyword)}_${side === 'upper' ? 'decreased' : 'increased'}`;
      report(
        comparison,
        rule,
        `${keyword} goes from ${before} to ${limit}: values between them were allowed`,
      );
    }
  }
  compareMultiple(comparison, writer.multipleOf, reader.multipleOf);
  if (types.includes('string') && typeof reader.pattern === 'string' && reader.pattern !== writer.pattern) {
    const was = typeof writer.pattern === 'string' ? `was /${writer.pattern}/` : 'is new';
    const rule = typeof writer.pattern === 'string' ? 'pattern_changed' : 'pattern_added';
    report(comparison, rule, `the pattern /${reader.pattern}/ ${was}: other text was allowed`);
  }
  if (types.includes('array') && reader.uniqueItems === true && writer.uniqueItems !== true) {
    report(comparison, 'unique_items_added', 'items have to differ from each other, which they did not');
  }
}

/** The limits that a list of values keeps anyway. */
export function limitsOfValues(values: readonly unknown[] | null): Keywords {
  const lengths = values?.filter((one) => typeof one === 'string').map((one) => [...one].length) ?? [];
  const numbers = values?.filter((one) => typeof one === 'number') ?? [];
  return {
    ...(lengths.length > 0 ? { minLength: Math.min(...lengths), maxLength: Math.max(...lengths) } : {}),
    ...(numbers.length > 0 ? { minimum: Math.min(...numbers), maximum: Math.max(...numbers) } : {}),
  };
}

function compareMultiple(comparison: Comparison, before: unknown, now: unknown): void {
  if (typeof now !== 'number' || now === before) return;
  if (typeof before !== 'number') {
    report(comparison, 'multiple_of_added', `multipleOf ${now} is new: other numbers were allowed`);
    return;
  }
  const times = before / now;
  if (Math.abs(times - Math.round(times)) < 1e-9) return;
  report(comparison, 'multiple_of_changed', `multipleOf goes from ${before} to ${now}`);
}

const snake = (keyword: string): string => keyword.replace(/[A-Z]/g, (letter) => `_${letter.toLowerCase()}`);
