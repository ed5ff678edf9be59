import { defineConfig } from 'vitest/config';

const CRASH = 'test/chaos/crash/crash.test.ts';

/**
 * Eight suites: `unit` (pure, beside the code), `integration` (on the real control plane, five files at a time), `crash`, which wants the
 * machine for itself: its lease of 2 s is lost on one that is busy; `fixes`, the commands of `check` for every finding (`make fixes`);
 * `image`, the container image (`make image-test`); `ship`, what people install, by the real helm (`make ship`); `monitoring`, a real
 * Prometheus that scrapes it (`make monitoring`); and `release`, what is published, in a registry of this machine (`make release-dry-run`).
 */
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
            'test/contract/**/*.test.ts',
            'test/package/**/*.test.ts',
            'test/image/*.test.ts',
            'scripts/**/*.test.ts',
          ],
          exclude: ['test/**/*.integration.test.ts'],
          // A way out for what hangs, not a measure: a busy machine is no failure.
          testTimeout: 60_000,
          hookTimeout: 60_000,
        },
      },
      {
        test: {
          name: 'integration',
          include: ['test/integration/**/*.test.ts', 'test/chaos/**/*.test.ts', 'test/**/*.integration.test.ts'],
          exclude: [CRASH],
          globalSetup: ['test/testbed/binaries/before-tests.ts', 'test/harness/permissions.setup.ts'],
          // Most of a test here is waiting for the real times of the contract; each file has a control plane of its own, of half a gigabyte.
          maxWorkers: 5,
          testTimeout: 180_000,
          hookTimeout: 180_000,
        },
      },
      {
        test: {
          name: 'fixes',
          include: ['test/fixes/**/*.test.ts'],
          globalSetup: ['test/testbed/binaries/before-tests.ts'],
          testTimeout: 300_000,
          hookTimeout: 180_000,
        },
      },
      {
        test: {
          name: 'image',
          include: ['test/image/run/*.test.ts'],
          globalSetup: ['test/testbed/binaries/before-tests.ts'],
          testTimeout: 300_000,
          hookTimeout: 300_000,
        },
      },
      {
        test: {
          name: 'ship',
          include: ['test/ship/**/*.test.ts'],
          globalSetup: ['test/testbed/binaries/before-tests.ts', 'test/ship/tools.setup.ts'],
          maxWorkers: 2,
          testTimeout: 180_000,
          hookTimeout: 180_000,
        },
      },
      {
        test: {
          name: 'monitoring',
          include: ['test/monitoring/**/*.test.ts'],
          exclude: ['test/**/*.integration.test.ts'],
          globalSetup: ['test/testbed/binaries/before-tests.ts'],
          maxWorkers: 1,
          testTimeout: 600_000,
          hookTimeout: 300_000,
        },
      },
      {
        test: {
          name: 'release',
          include: ['test/release/**/*.test.ts'],
          globalSetup: ['test/testbed/binaries/before-tests.ts', 'test/ship/tools.setup.ts'],
          maxWorkers: 1,
          testTimeout: 300_000,
          hookTimeout: 300_000,
        },
      },
      { test: { name: 'crash', include: [CRASH], globalSetup: ['test/testbed/binaries/before-tests.ts'] } },
    ],
  },
});
