/**
 * How far event time has come in a partition, for one tenant: the newest event time that two subjects have reached.
 * One client whose clock is ahead can't move it alone, so it fires nobody else's timers, in a history that is fed
 * either, where no append time gives it away. A subject that is ahead of all others is the leader: its own timers
 * follow its own clock. Both are functions of the log alone.
 */
export interface Watermark {
  /** Event time, or -Infinity before two subjects have been seen. */
  at: number;
  /** Clock time when it was last moved: ticks go on from there. */
  movedAt: number;
  /** Key of the subject with the newest event; '' before the first. */
  leader: string;
  leadTime: number;
  /** Clock time when the leader's newest event was appended. */
  ledAt: number;
}

export const makeWatermark = (): Watermark => ({
  at: -Infinity,
  movedAt: 0,
  leader: '',
  leadTime: -Infinity,
  ledAt: 0,
});

/** Where the watermark will stand after this subject's event. */
export function watermarkAfter(mark: Watermark, key: string, time: number): number {
  if (time <= mark.at || key === mark.leader || mark.leader === '') return mark.at;
  return Math.max(mark.at, Math.min(time, mark.leadTime));
}

/** Moves it; true if anything changed. */
export function moveWatermark(mark: Watermark, key: string, time: number, appendedAt: number): boolean {
  const at = watermarkAfter(mark, key, time);
  const isMoved = at > mark.at;
  if (isMoved) {
    mark.at = at;
    mark.movedAt = appendedAt;
  }
  if (time <= mark.leadTime) return isMoved;
  mark.leader = key;
  mark.leadTime = time;
  mark.ledAt = appendedAt;
  return true;
}

/** The engine's word that time has come so far, written at clock time `clock`. */
export function tickWatermark(mark: Watermark, time: number, clock: number): void {
  if (time <= mark.at) return;
  mark.at = time;
  mark.movedAt = clock;
}

/**
 * Where event time will have come by now, if nothing else happens: on from the watermark at the pace of the clock, so
 * that a history goes on as it was and never jumps to today. Never beyond now.
 */
export const paced = (time: number, since: number, now: number): number =>
  Math.min(now, time + Math.max(0, now - since));
