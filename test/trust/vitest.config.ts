import { defineConfig } from 'vitest/config';

/** What mutation testing runs: the fixed examples. Random ones would kill different mutants each time, and take minutes. */
export default defineConfig({
  test: {
    testTimeout: 60_000,
    include: ['src/trust/**/*.test.ts'],
    exclude: ['src/trust/properties.test.ts'],
  },
});
