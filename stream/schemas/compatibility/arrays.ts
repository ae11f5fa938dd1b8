import { allowsAll, at, type Comparison, isSchema, type JsonSchema, report } from './difference.ts';

type Keywords = Readonly<Record<string, unknown>>;

/** Items of lists: one schema for all, or one for each place and one for the rest. */
export function compareArrays(comparison: Comparison, writer: Keywords, reader: Keywords): void {
  const written = itemsOf(writer);
  const read = itemsOf(reader);
  const places = Math.max(written.first.length, read.first.length);
  for (let place = 0; place < places; place++) {
    const here = at(comparison, `[${place}]`);
    const before = written.first[place] ?? written.rest;
    const now = read.first[place] ?? read.rest;
    // A place that could not be filled before says nothing about what was written.
    if (before === false || allowsAll(now)) continue;
    if (now === false) report(here, 'item_removed_from_closed', 'there may be no such item, and there was');
    else here.compare(here, before, now);
  }
  const here = at(comparison, '[]');
  if (written.rest === false || allowsAll(read.rest)) return;
  if (read.rest === false) report(here, 'items_closed', 'further items are refused, and were allowed');
  else here.compare(here, written.rest, read.rest);
}

/** `prefixItems` and `items` of 2020-12, `items` as a list and `additionalItems` of draft 7, as one thing. */
function itemsOf(schema: Keywords): { readonly first: readonly JsonSchema[]; readonly rest: JsonSchema } {
  if (Array.isArray(schema.items)) {
    const rest = isSchema(schema.additionalItems) ? schema.additionalItems : true;
    return { first: schema.items.filter(isSchema), rest };
  }
  const first = Array.isArray(schema.prefixItems) ? schema.prefixItems.filter(isSchema) : [];
  return { first, rest: isSchema(schema.items) ? schema.items : true };
}
