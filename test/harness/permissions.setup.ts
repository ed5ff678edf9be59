import { mkdtempSync, readdirSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { RECORDS_FOLDER, type TestbedRecord } from '@irsa-operator/testbed';
import type { TestProject } from 'vitest/node';
import { neverUsed, unexpectedRefusals } from './permissions.ts';

/**
 * Every testbed of the run leaves a record of what the operator asked for. After the last file: nothing was refused that no test provokes, and,
 * when all suites ran whole, nothing that ships in config was needed by none of them.
 */
export function setup(project: TestProject): () => Promise<void> {
  const folder = mkdtempSync(join(tmpdir(), 'irsa-operator-records-'));
  process.env[RECORDS_FOLDER] = folder;
  return async () => {
    const records = readdirSync(folder).map((file) => JSON.parse(readFileSync(join(folder, file), 'utf8')) as TestbedRecord);
    rmSync(folder, { recursive: true, force: true });
    complain(
      'the operator was refused what no test provokes; grant it in config, or call expectRefusal on the testbed in the test that does',
      records.flatMap(unexpectedRefusals),
    );
    const missing = await notRun(project);
    if (missing.length > 0)
      console.log(`permissions: not all suites ran, so what ships was not compared with what was used (${missing.join(', ')})`);
    else complain('granted in config and needed by no test: remove it, or test what needs it', neverUsed(records));
  };
}

/** Files of which not every test ran. */
async function notRun(project: TestProject): Promise<string[]> {
  const whole = new Set<string>();
  for (const module of project.vitest.state.getTestModules()) {
    const results = [...module.children.allTests()].map((test) => test.result().state);
    if (module.project === project && results.length > 0 && !results.some((state) => state === 'skipped' || state === 'pending'))
      whole.add(module.moduleId);
  }
  return (await project.globTestFiles()).testFiles
    .filter((file) => !whole.has(file))
    .map((file) => file.slice(project.vitest.config.root.length + 1));
}

/** A tear-down has no result of its own; the exit status is what `make test` counts. */
function complain(what: string, lines: readonly string[]): void {
  if (lines.length === 0) return;
  console.error(
    `permissions: ${what}:\n${[...new Set(lines)]
      .sort()
      .map((line) => `  ${line}`)
      .join('\n')}`,
  );
  process.exitCode = 1;
}
