import { defineConfig } from 'vitest/config';

/** Every test of the product; tests that need Redis start their own private server (tests/support/redis.ts). */
export default defineConfig({
  test: {
    include: ['**/*.test.ts'],
    exclude: ['node_modules/**', 'dist/**', 'console/**/node_modules/**'],
    // A test that hangs is told after minutes; one that is only slow, on a busy machine, is not failed for it.
    testTimeout: 600_000,
    hookTimeout: 600_000,
    expect: { poll: { timeout: 60_000 } },
    pool: 'forks',
    maxWorkers: 2,
  },
});
