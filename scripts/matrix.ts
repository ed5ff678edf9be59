import { readFile, writeFile } from 'node:fs/promises';
import { ensureBinaries, kubernetesVersions } from '@irsa-operator/testbed';
import { run } from './release/run.ts';
import { runSuite } from './suite.ts';

/**
 * `make matrix`: the article, pods, grants and an installation by helm and by kubectl, on the control plane of each version of Kubernetes. Writes what was
 * run to docs/compatibility.md, and ends with 1 where anything failed. `node scripts/matrix.ts 1.33 1.34` runs these alone.
 */
const SUITES: readonly (readonly [project: string, files: readonly string[]])[] = [
  ['integration', ['article', 'pods', 'grants'].map((name) => `test/integration/${name}.test.ts`)],
  ['ship', ['versions', 'install-yaml'].map((name) => `test/ship/${name}.test.ts`)],
];
const PAGE = 'docs/compatibility.md';
const MARKS = ['<!-- make matrix writes from here -->', '<!-- to here -->'] as const;
const BUILD_DEADLINE_MS = 60 * 60_000;

const asked = process.argv.slice(2);
for (const version of asked.length > 0 ? asked : kubernetesVersions()) {
  process.env['KUBERNETES_VERSION'] = version;
  const row = await rowOf(version).catch((error: Error) => {
    process.exitCode = 1;
    return [version, `not built: ${error.message.split('\n')[0]}`, '', ''];
  });
  await keep(row);
}

/** Version, result, minutes, when. */
async function rowOf(version: string): Promise<string[]> {
  const binaries = await ensureBinaries(AbortSignal.timeout(BUILD_DEADLINE_MS));
  const [, patch = version] = /v(\d+\.\d+\.\d+)/.exec((await run(binaries['kube-apiserver'], ['--version'])).stdout) ?? [];
  console.log(`Kubernetes ${patch}`);
  const began = performance.now();
  const counts = { passed: 0, failed: 0 };
  for (const [project, files] of SUITES) {
    const { passed, failed } = await runSuite(project, files);
    counts.passed += passed;
    counts.failed += failed;
  }
  if (counts.failed > 0) process.exitCode = 1;
  const result = counts.failed === 0 ? `${counts.passed} tests passed` : `${counts.failed} tests failed, ${counts.passed} passed`;
  const minutes = `${Math.ceil((performance.now() - began) / 60_000)}`;
  return [patch, result, minutes, new Date().toISOString().slice(0, 10)];
}

/** In place of the row of the same minor version. What was never run has a row too. */
async function keep(row: readonly string[]): Promise<void> {
  const minorOf = (line: string) => /^\| (1\.\d+)/.exec(line)?.[1] ?? '';
  const page = await readFile(PAGE, 'utf8');
  const [before = '', after] = page.split(new RegExp(`(?<=${MARKS[0]}\n)[^]*(?=${MARKS[1]})`));
  if (after === undefined) throw new Error(`${PAGE} has no "${MARKS.join('" and "')}"`);
  const never = kubernetesVersions().map((version) => [version, 'not run yet', '', '']);
  const lines = [...never.map(tableRow), ...page.split('\n').filter((line) => minorOf(line) !== ''), tableRow(row)];
  const rows = [...new Map(lines.map((line) => [minorOf(line), line])).values()];
  const sorted = rows.toSorted((a, b) => Number(minorOf(a).slice(2)) - Number(minorOf(b).slice(2)));
  const head = [
    ['Kubernetes', 'Result', 'Minutes', 'Run'],
    ['---', '---', '---', '---'],
  ].map(tableRow);
  await writeFile(PAGE, [before, ...[...head, ...sorted].map((line) => `${line}\n`), after].join(''));
}

function tableRow(cells: readonly string[]): string {
  return `| ${cells.join(' | ')} |`;
}
