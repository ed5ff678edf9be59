import { globSync } from 'node:fs';
import { ensureTool } from '@irsa-operator/testbed';
import { expect, test } from 'vitest';
import { run } from '../../scripts/release/run.ts';

test('actionlint has nothing to say about the workflows', async () => {
  const program = await ensureTool('actionlint', AbortSignal.timeout(120_000));
  // Without shellcheck and pyflakes, which a machine may have or not.
  const ended = await run(program, ['-no-color', '-shellcheck=', '-pyflakes=', ...globSync('.github/workflows/*')]).catch(
    (error: { stdout: string }) => error,
  );
  expect(ended.stdout).toBe('');
});
