import { defineConfig } from 'vitest/config';

/** Every test of the product; tests that need Redis start their own private server (tests/support/redis.ts). */
export default defineConfig({
  test: {
    include: ['**/*.test.ts'],
    exclude: ['node_modules/**', 'dist/**', 'console/**/node_modules/**'],
    testTimeout: 30_000,
    hookTimeout: 60_000,
    pool: 'forks',
    maxWorkers: 2,
  },
});
