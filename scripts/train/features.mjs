/**
 * The value of one feature of presage.yaml at time `at`, from a subject's list of events: the plain batch computation,
 * so that a model is trained on what the engine will feed it. `null` = no value.
 */
export function featureAt(definition, events, at, session) {
  if (definition.where !== undefined || definition.by !== undefined) {
    throw new Error('a model input with "where" or "by" is more than this script computes');
  }
  const mine = events.filter((event) => event.time <= at && isOf(definition.of, event.type));
  if (definition.kind === 'session') {
    const own = mine.filter((event) => event.session === session);
    if (definition.measure === 'count') return own.length;
    return own.length === 0 ? null : (at - Math.min(...own.map((event) => event.time))) / 1_000;
  }
  if (definition.kind === 'time_since') {
    return mine.length === 0 ? null : (at - Math.max(...mine.map((event) => event.time))) / 1_000;
  }
  if (definition.kind === 'last') return mine.at(-1)?.properties[definition.property] ?? null;
  return windowed(definition, mine.filter(inWindow(definition, at)));
}

const isOf = (of, type) => of === '*' || of === type || (Array.isArray(of) && of.includes(type));

/** The window at t covers the buckets (b(t) - n, b(t)]; a bucket is a 60th of it, or as declared. */
function inWindow({ window, bucket }, at) {
  const length = milliseconds(window);
  let buckets =
    bucket === undefined ? Math.min(60, Math.floor(length / 1_000)) : length / milliseconds(bucket);
  while (length % buckets !== 0) buckets--;
  const bucketOf = (time) => Math.floor(time / (length / buckets));
  return ({ time }) => bucketOf(time) > bucketOf(at) - buckets && bucketOf(time) <= bucketOf(at);
}

function windowed({ kind, property, scale = 4, max = 100 }, events) {
  if (kind === 'count') return events.length;
  if (kind === 'distinct')
    return Math.min(max, new Set(events.map((event) => event.properties[property])).size);
  const unit = 10 ** scale;
  const amounts = events
    .map((event) => event.properties[property])
    .filter((value) => typeof value === 'number')
    .map((value) => Math.round(value * unit));
  const total = amounts.reduce((sum, amount) => sum + amount, 0);
  if (kind === 'sum') return total / unit;
  if (amounts.length === 0) return null;
  if (kind === 'mean') return total / (amounts.length * unit);
  if (kind === 'min') return Math.min(...amounts) / unit;
  if (kind === 'max') return Math.max(...amounts) / unit;
  throw new Error(`a feature of kind ${kind} is no number that a model can read`);
}

export function milliseconds(duration) {
  const [, amount, unit] = /^(\d+)(ms|s|m|h|d)$/.exec(duration) ?? [];
  return Number(amount) * { ms: 1, s: 1_000, m: 60_000, h: 3_600_000, d: 86_400_000 }[unit];
}
