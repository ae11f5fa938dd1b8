import type { CapSeen, CapTake, Choice } from '../../schemas/index.ts';

/** What is left for a slot, of what the first had room for, after other slots have shown these. */
export type Room = (earlier: readonly number[]) => readonly number[];

/**
 * Room as the commit would have found it, had earlier slots shown something else: each cap as full as it was seen, and
 * one fuller for each earlier slot that takes from it; and nothing that an earlier slot's action excludes. `actions` are
 * the names of places.
 */
export function roomOf(
  available: readonly number[],
  actions: readonly string[],
  choices: readonly Choice[],
  seen: readonly CapSeen[],
): Room {
  const without = (earlier: readonly number[]) => available.filter((place) => !earlier.includes(place));
  const takes = new Map(choices.map(({ action, caps }) => [action, caps]));
  const takesOf = (place: number): readonly CapTake[] => takes.get(actions[place] ?? '') ?? [];
  const all = available.map(takesOf);
  const meets = all.some((own, index) =>
    all.slice(index + 1).some((other) => own.some((take) => competes(take, other))),
  );
  if (!meets) return without;
  const room = new Map(
    seen.filter(({ slot }) => slot === undefined).map(({ cap, used, limit }) => [cap, limit - used]),
  );
  return (earlier) =>
    without(earlier).filter((place) =>
      takesOf(place).every((take) => {
        const against = earlier.filter((other) => competes(take, takesOf(other))).length;
        return against < (room.get(take.cap) ?? Infinity);
      }),
    );
}

/** Whether a choice that takes `others` leaves less room for `take`. */
function competes(take: CapTake, others: readonly CapTake[]): boolean {
  if (take.role === 'after') return false;
  if (take.role !== 'exclude') return others.some(({ cap, role }) => cap === take.cap && role === undefined);
  const group = groupOf(take);
  return others.some(
    (other) => other.role === 'exclude' && other.cap !== take.cap && groupOf(other) === group,
  );
}

/** Of a mark `!<group>/<name>`. */
const groupOf = ({ cap }: CapTake): string => cap.slice(0, cap.indexOf('/'));
