import type { CapSeen, Resolution } from '../../schemas/index.ts';

/** As it was stored while a decision had one slot. */
interface OneSlot {
  readonly chosen: number;
  readonly available: readonly number[];
  readonly capsSeen: readonly CapSeen[];
}

/** A stored resolution, of today's shape or of the one before it. */
export function readResolution(stored: Resolution | OneSlot): Resolution {
  if ('slots' in stored) return stored;
  const { chosen, available, capsSeen } = stored;
  return { slots: [{ chosen, available }], capsSeen };
}
