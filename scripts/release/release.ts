import { mkdtemp, readFile, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { PROJECT } from '../../src/api/project.ts';
import { currentCommit } from '../image/commit.ts';
import { assemble, ownVersion } from './assemble.ts';
import { notesOf } from './changelog.ts';
import { Cosign } from './cosign.ts';
import { RELEASE } from './files.ts';
import { publish } from './publish.ts';
import { openTools } from './tools.ts';
import { problemsOf } from './verify.ts';

/** `make release`, of the workflow of a tag alone: what the dry run does, into the registries of the project, signed as this workflow. */
const TOOLS_DEADLINE_MS = 60 * 60_000;
/** Beside the folder, because it is the text of the page and no file of it. */
const NOTES = 'dist/release-notes.md';

const version = await ownVersion();
const notes = notesOf(await readFile('CHANGELOG.md', 'utf8'), version);
if (process.env['GITHUB_REF'] !== `refs/tags/v${version}`)
  throw new Error(`a release of ${version} is made by the workflow of the tag v${version}. To try it, run make release-dry-run`);
const { revision } = await currentCommit();
if (revision.endsWith('-dirty')) throw new Error('files were changed since the commit: a release is made from a commit alone');

const folder = await mkdtemp(join(tmpdir(), 'irsa-operator-release-'));
try {
  const tools = await openTools(join(folder, 'tools'), AbortSignal.timeout(TOOLS_DEADLINE_MS));
  const cosign = Cosign.asWorkflow(tools.cosign, version);
  const to = { registry: new URL(`https://${PROJECT.image}`).host, local: false };
  await assemble(tools);
  await publish(RELEASE, version, to, tools, cosign);
  const problems = await problemsOf(RELEASE, version, to, tools, cosign);
  if (problems.length > 0) throw new Error(`it is published, and cannot be verified:\n${problems.join('\n')}`);
  await writeFile(NOTES, notes);
  console.log(`published ${version}: ${RELEASE} and ${NOTES} are for the page of the release`);
} finally {
  await rm(folder, { recursive: true });
}
