import type { RightCalibration, WorkspaceSource } from '../schemas/index.ts';
import { canonicalJson } from './canonical.ts';
import { compileActionCaps } from './compile-caps.ts';
import { compileConsent, compileModes } from './compile-constraints.ts';
import { type Compiling, refersTo } from './compile-context.ts';
import { compileGate, compileReview, type ReviewRules } from './compile-gate.ts';
import { type ActionExpressions, actionExpressions, compileRules } from './compile-rules.ts';
import type { CompiledAction, CompiledGate, Expression } from './compiled.ts';
import { eventNames, sessionEnd } from './event-names.ts';
import type { CelType, EventNames, ExpressionNames } from './expression-names.ts';
import { type Path, quote } from './problems.ts';

type ActionSource = WorkspaceSource['actions'][string];

const mostContentBytes = 16_384;

/** All actions by name, in the order of the file. */
export function compileActions(
  compiling: Compiling,
  features: ReadonlyMap<string, CelType>,
  calibrations: ReadonlyMap<string, RightCalibration>,
): ReadonlyMap<string, CompiledAction> {
  const actions = new Map<string, CompiledAction>();
  const expressions = actionExpressions(compiling);
  const review = compileReview(compiling);
  for (const [name, source] of Object.entries(compiling.source.actions)) {
    actions.set(
      name,
      compileAction(compiling, name, source, features, expressions, {
        ...review,
        calibration: calibrations.get(name) ?? null,
      }),
    );
  }
  return actions;
}

function compileAction(
  compiling: Compiling,
  name: string,
  source: ActionSource,
  features: ReadonlyMap<string, CelType>,
  expressions: ActionExpressions,
  review: ReviewRules & Pick<CompiledGate, 'calibration'>,
): CompiledAction {
  const path = ['actions', name];
  source.placements.forEach((placement, index) => {
    const place = [...path, 'placements', index];
    if (!refersTo(compiling, 'placements', placement, place)) return;
    if (source.placements.indexOf(placement) !== index) {
      compiling.report(place, `expected each placement once but found ${quote(placement)} again`);
    }
  });
  if (source.purpose !== undefined) refersTo(compiling, 'purposes', source.purpose, [...path, 'purpose']);
  if (source.group !== undefined) refersTo(compiling, 'groups', source.group, [...path, 'group']);
  checkContent(compiling, source.content, [...path, 'content']);
  const names: ExpressionNames = {
    features,
    event: eventsBefore(compiling, source.placements),
    action: new Map(
      Object.entries(source.attributes).map(([name, value]) => [
        name,
        typeof value === 'string' ? 'string' : 'double',
      ]),
    ),
    context: true,
  };
  const amount = (key: 'value' | 'weight' | 'lever', range: 'above 0' | '0 or above') =>
    compileAmount(compiling, source[key], [...path, key], names, range, expressions);
  return {
    name,
    group: source.group ?? null,
    rules: compileRules(compiling, name, names, expressions),
    value: amount('value', 'above 0'),
    weight: amount('weight', '0 or above'),
    lever: amount('lever', '0 or above'),
    attributes: source.attributes,
    purpose: source.purpose ?? null,
    caps: compileActionCaps(compiling, name, source),
    mode: source.mode,
    ...compileModes(compiling, name, source.mode),
    ...compileConsent(compiling, source.purpose),
    ...(source.holdout === 'exempt' ? { isExempt: true } : {}),
    gate: compileGate(compiling, source, path, review),
    content: source.content,
    rulesProbability: source.rules_probability,
  };
}

/** The properties of the events whose triggers can bring this action; null when only requests can. */
export function eventsBefore(compiling: Compiling, placements: readonly string[]): EventNames | null {
  const { source, names } = compiling;
  const triggers = Object.values(source.triggers);
  if (triggers.length < names.triggers.size) return { properties: new Map(), isOpen: true };
  const mine = triggers.filter((trigger) => placements.includes(trigger.placement));
  const isOfAnyEvent = mine.some(({ on, after, when }) => (on ?? after) === undefined && when !== undefined);
  if (isOfAnyEvent) return eventNames(compiling, null);
  // A timer has no event.
  const types = mine.flatMap(({ on }) => (on === undefined || on === sessionEnd ? [] : [on]));
  return types.length === 0 ? null : eventNames(compiling, types);
}

function compileAmount(
  compiling: Compiling,
  amount: number | string,
  path: Path,
  names: ExpressionNames,
  range: 'above 0' | '0 or above',
  expressions: ActionExpressions,
): number | Expression<number> {
  if (typeof amount === 'string') return expressions.compile(path, amount, 'number', names) ?? 0;
  const fits = range === 'above 0' ? amount > 0 : amount >= 0;
  if (!fits) compiling.report(path, `expected a number ${range} but found ${amount}`);
  return amount;
}

/** Content is pushed to browsers as JSON, so it has to be JSON, and short. */
function checkContent(compiling: Compiling, content: unknown, path: Path): void {
  const wrong = notJson(content, path);
  if (wrong !== null) {
    compiling.report(wrong, 'expected text, a finite number, true, false, null, a list or a map');
    return;
  }
  const bytes = Buffer.byteLength(canonicalJson(content));
  if (bytes > mostContentBytes) {
    compiling.report(path, `expected at most ${mostContentBytes} bytes of content but found ${bytes}`, {
      at: 'key',
    });
  }
}

function notJson(value: unknown, path: Path): Path | null {
  if (value === null || typeof value === 'string' || typeof value === 'boolean') return null;
  if (typeof value === 'number') return Number.isFinite(value) ? null : path;
  if (typeof value !== 'object') return path;
  const isPlain = Array.isArray(value) || Object.getPrototypeOf(value) === Object.prototype;
  if (!isPlain) return path;
  for (const [key, member] of Object.entries(value)) {
    const wrong = notJson(member, [...path, Array.isArray(value) ? Number(key) : key]);
    if (wrong !== null) return wrong;
  }
  return null;
}
