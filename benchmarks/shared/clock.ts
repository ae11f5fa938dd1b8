/** Milliseconds of the machine's monotonic clock, which all its processes share (Linux: CLOCK_MONOTONIC). */
export const sharedNow = (): number => Number(process.hrtime.bigint()) / 1e6;
