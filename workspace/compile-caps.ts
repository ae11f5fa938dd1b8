import type { WorkspaceSource } from '../schemas/index.ts';
import type { CapSource } from '../schemas/workspace/constraints.ts';
import { type Compiling, refersTo } from './compile-context.ts';
import type { CompiledCap } from './compiled.ts';
import { durationMs } from './duration.ts';
import { type Path, quote } from './problems.ts';

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
    return { id, per: cap.per, limit: cap.limit, windowMs };
  });
}
