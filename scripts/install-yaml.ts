import { execFile } from 'node:child_process';
import { mkdir, readFile, writeFile } from 'node:fs/promises';
import { promisify } from 'node:util';
import { ensureBinaries } from '@irsa-operator/testbed';

/**
 * `node scripts/install-yaml.ts`: writes dist/install.yaml, which is what kustomize builds of config/default, for people who have only kubectl.
 * It names the version of config/manager, and is refused if something in it says `latest`.
 */
const BUILD_DEADLINE_MS = 60 * 60_000;
/** Of one file of some thousand lines. */
const MAX_BYTES = 16 * 1024 * 1024;

const { version } = JSON.parse(await readFile('package.json', 'utf8')) as { version: string };
const { kubectl } = await ensureBinaries(AbortSignal.timeout(BUILD_DEADLINE_MS));
const { stdout } = await promisify(execFile)(kubectl, ['kustomize', 'config/default'], { maxBuffer: MAX_BYTES });
const latest = stdout.split('\n').find((line) => /\blatest\b/.test(line));
if (latest !== undefined) throw new Error(`install.yaml would say "${latest.trim()}": a release names its version`);

await mkdir('dist', { recursive: true });
await writeFile('dist/install.yaml', `# irsa-operator ${version}: kubectl apply -f install.yaml\n${stdout}`);
console.log('wrote dist/install.yaml');
