/** One use of a cap, as remembered for ever. */
export interface Take {
  readonly cap: string;
  /** Of a cap for each session; null: of one for each window. */
  readonly session: string | null;
  readonly windowMs: number | null;
  readonly limit: number;
  readonly at: number;
}

export interface Choice {
  readonly action: string;
  readonly caps: readonly Take[];
}

/** The first choice with room in all its caps; `takes` are all that were ever made, and get what it takes. */
export function resolve(takes: Take[], choices: readonly Choice[]) {
  const available: string[] = [];
  const capsSeen: { action: string; used: number; limit: number }[] = [];
  for (const { action, caps } of choices) {
    const seen = caps.map((cap) => ({ action, used: used(takes, cap), limit: cap.limit }));
    capsSeen.push(...seen);
    if (seen.every((cap) => cap.used < cap.limit)) available.push(action);
  }
  const chosen = available[0] ?? null;
  takes.push(...(choices.find(({ action }) => action === chosen)?.caps ?? []));
  return { chosen, available, capsSeen };
}

/** Takes less than a window away on either side. What is two windows behind the newest is forgotten, and counts as full. */
function used(takes: readonly Take[], { cap, session, windowMs, limit, at }: Take): number {
  const mine = takes.filter((take) => take.cap === cap && take.session === session);
  if (windowMs === null) return mine.length;
  const newest = Math.max(...mine.map((take) => take.at));
  const gone = mine.filter((take) => take.at <= newest - 2 * windowMs).map((take) => take.at);
  const near = mine.filter((take) => !gone.includes(take.at) && Math.abs(take.at - at) < windowMs).length;
  return gone.length > 0 && at < Math.max(...gone) + windowMs ? Math.max(near, limit) : near;
}

/** From when on none of these takes can count: two windows after a cap's newest, a forgetting after a session's. */
export function capsEnd(takes: readonly Take[], ttlMs: number): number {
  return Math.max(
    -Infinity,
    ...takes.map(({ at, windowMs }) => at + (windowMs === null ? ttlMs : 2 * windowMs)),
  );
}
