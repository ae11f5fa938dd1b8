/** How long a test waits for what must come: long enough for a machine that is ten times slower, or busy. */
export const patienceMs = 60_000;
