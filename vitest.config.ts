import { defineConfig } from 'vitest/config';

/** Two suites: `unit` (pure, beside the code) and `integration` (on the real control plane, one file after the other: two cores). */
export default defineConfig({
  test: {
    projects: [
      {
        test: {
          name: 'unit',
          include: [
            'src/**/*.test.ts',
            'test/testbed/**/*.test.ts',
            'test/trust/**/*.test.ts',
            'test/harness/**/*.test.ts',
            'test/writers/**/*.test.ts',
          ],
          exclude: ['test/testbed/**/*.integration.test.ts'],
        },
      },
      {
        test: {
          name: 'integration',
          include: ['test/integration/**/*.test.ts', 'test/chaos/**/*.test.ts', 'test/testbed/**/*.integration.test.ts'],
          globalSetup: 'test/testbed/binaries/before-tests.ts',
          fileParallelism: false,
          testTimeout: 180_000,
          hookTimeout: 180_000,
        },
      },
    ],
  },
});
