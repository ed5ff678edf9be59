import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { assemble, ownVersion } from './assemble.ts';
import { Cosign } from './cosign.ts';
import { RELEASE } from './files.ts';
import { publish } from './publish.ts';
import { startRegistry } from './registry.ts';
import { openTools } from './tools.ts';
import { problemsOf } from './verify.ts';

/** `make release-dry-run`: everything that a release does, into a registry of this machine and with a key of this run. Nothing is published. */
const TOOLS_DEADLINE_MS = 60 * 60_000;

const folder = await mkdtemp(join(tmpdir(), 'irsa-operator-release-'));
try {
  const version = await ownVersion();
  const tools = await openTools(join(folder, 'tools'), AbortSignal.timeout(TOOLS_DEADLINE_MS));
  const cosign = await Cosign.withNewKey(tools.cosign, join(folder, 'key'));
  await assemble(tools);
  console.log(`assembled ${RELEASE}`);
  const registry = await startRegistry(tools.crane);
  try {
    const to = { registry: registry.address, local: true };
    await publish(RELEASE, version, to, tools, cosign);
    console.log(`pushed image and chart to ${registry.address}, and signed them`);
    const problems = await problemsOf(RELEASE, version, to, tools, cosign);
    for (const problem of problems) console.error(problem);
    if (problems.length > 0) process.exitCode = 1;
    else console.log(`verified: ${version} could be released`);
  } finally {
    await registry.stop();
  }
} finally {
  await rm(folder, { recursive: true });
}
