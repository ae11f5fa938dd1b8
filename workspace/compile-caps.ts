import { localTime } from '../core/index.ts';
import type { WorkspaceSource } from '../schemas/index.ts';
import type { CapSource } from '../schemas/workspace/constraints.ts';
import { type Compiling, refersTo } from './compile-context.ts';
import type { CompiledCap } from './compiled.ts';
import { durationMs } from './duration.ts';
import { type Path, quote } from './problems.ts';

const dayMs = 86_400_000;
const stretches = 20;

type ActionSource = WorkspaceSource['actions'][string];

/** What choosing an action takes, wherever it is shown: its own caps, its group's, what excludes it, its cool-down. */
export function compileActionCaps(
  compiling: Compiling,
  action: string,
  source: ActionSource,
): readonly CompiledCap[] {
  const group = source.group === undefined ? undefined : compiling.source.groups?.[source.group];
  const caps = [...compileCaps(compiling, action, source.caps, ['actions', action, 'caps'])];
  if (group?.caps !== undefined)
    caps.push(
      ...compileCaps(compiling, `group:${source.group}`, group.caps, ['groups', source.group ?? '', 'caps']),
    );
  if (group?.exclusive !== undefined) {
    const { per, window } = group.exclusive;
    const windowMs = per === 'session' ? null : window === undefined ? 1 : durationMs(window);
    caps.push({ id: `!${source.group}/${action}`, per, limit: 1, windowMs, role: 'exclude' });
  }
  if (source.cooldown !== undefined)
    caps.push({
      id: dismissalMark(action),
      per: 'subject',
      limit: 1,
      windowMs: durationMs(source.cooldown),
      role: 'after',
    });
  if (source.budget !== undefined) {
    const { tenants } = compiling.source;
    // One zone that is wrong is told of with the tenant.
    const bucketAt = (tenant: string, time: number): number =>
      localTime(tenants[tenant]?.timezone ?? 'UTC', time)?.day ?? Math.floor(time / dayMs);
    const lease = { spans: 0, bucketAt };
    caps.push({ id: `${action}/budget`, per: 'tenant', limit: source.budget.daily, windowMs: dayMs, lease });
  }
  return caps;
}

/** The mark that the worker leaves when an action is dismissed. No group can be named so. */
const dismissalMark = (action: string): string => `!:dismissed/${action}`;

/** What showing anything in a placement takes: its own caps, and those of its channel. */
export function compilePlacementCaps(compiling: Compiling, placement: string): readonly CompiledCap[] {
  const { source } = compiling;
  const { caps, channel } = source.placements[placement] ?? {};
  const path = ['placements', placement];
  if (channel !== undefined) refersTo(compiling, 'channels', channel, [...path, 'channel']);
  const shared = channel === undefined ? undefined : source.channels?.[channel]?.caps;
  return [
    ...compileCaps(compiling, `placement:${placement}`, caps ?? [], [...path, 'caps']),
    ...compileCaps(compiling, `channel:${channel}`, shared ?? [], ['channels', channel ?? '', 'caps']),
  ];
}

/** The groups that say what excludes each other, and who has a window but no use for it. */
export function checkExclusive({ source, report }: Compiling): void {
  for (const [name, { exclusive }] of Object.entries(source.groups ?? {})) {
    if (exclusive?.per === 'session' && exclusive.window !== undefined)
      report(['groups', name, 'exclusive', 'window'], 'expected no window per session: a session is one');
  }
}

/** A window is counted in stretches of a twentieth: it touches at most 21 of them, which share the limit. */
function rolling(windowMs: number): NonNullable<CompiledCap['lease']> {
  const stretchMs = Math.ceil(windowMs / stretches);
  return {
    spans: Math.ceil(windowMs / stretchMs),
    bucketAt: (_tenant, time) => Math.floor(time / stretchMs),
  };
}

function compileCaps(
  { report }: Compiling,
  owner: string,
  caps: readonly CapSource[],
  path: Path,
): readonly CompiledCap[] {
  const ids = new Set<string>();
  return caps.map((cap, index) => {
    const id = cap.per === 'session' ? `${owner}/session` : `${owner}/${cap.per}/${cap.window}`;
    if (ids.has(id)) report([...path, index], `expected one cap per period but ${quote(id)} is there twice`);
    ids.add(id);
    const windowMs = cap.per === 'session' ? null : durationMs(cap.window);
    const compiled = { id, per: cap.per, limit: cap.limit, windowMs };
    return cap.per === 'tenant' ? { ...compiled, lease: rolling(windowMs ?? 1) } : compiled;
  });
}
