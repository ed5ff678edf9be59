import { createHash } from 'node:crypto';
import { readFile } from 'node:fs/promises';
import { dirname, join, resolve } from 'node:path';
import { PROJECT } from '../../src/api/project.ts';
import { IMAGE } from '../image/image.ts';
import { PLATFORMS } from '../image/platforms.ts';
import type { Cosign } from './cosign.ts';
import { CHECKSUMS, namesOf, SIGNATURE } from './files.ts';
import { run } from './run.ts';
import type { Tools } from './tools.ts';

/** Where a release goes. */
export interface Destination {
  /** Host, and port: what stands in place of the registry of the project. */
  readonly registry: string;
  /** On this machine: without TLS, and npm only says what it would publish. */
  readonly local: boolean;
}

/** Where an image or a chart of the project is, at this destination. */
export function referenceAt(reference: string, { registry }: Destination): string {
  return reference.replace(/^[^/]+/, registry);
}

/** What helm needs to know of it. */
export function helmFlags({ local }: Destination): string[] {
  return local ? ['--plain-http'] : [];
}

/** What the digest of the image says in the file of a release. */
export async function digestIn(folder: string, version: string): Promise<string> {
  const text = await readFile(join(folder, namesOf(version).image), 'utf8');
  return text.trim().split('@')[1] ?? '';
}

/** Pushes and signs what was assembled. In this order: what is not signed yet is not what anybody is told to install. */
export async function publish(folder: string, version: string, to: Destination, tools: Tools, cosign: Cosign): Promise<void> {
  const names = namesOf(version);
  await cosign.signFile(join(folder, CHECKSUMS), join(folder, SIGNATURE));

  const image = referenceAt(PROJECT.image, to);
  await run(tools.crane, ['push', IMAGE, `${image}:${version}`]);
  await cosign.sign(`${image}@${await digestIn(folder, version)}`);
  for (const { architecture } of PLATFORMS) {
    const sbom = join(folder, names.sboms[architecture]);
    await cosign.attest(`${image}@${await platformDigest(sbom)}`, sbom);
  }

  const chart = referenceAt(PROJECT.chart, to);
  const pushed = await run(tools.helm, ['push', join(folder, names.chart), `oci://${dirname(chart)}`, ...helmFlags(to)]);
  await cosign.sign(`${chart}@${digestOfPush(`${pushed.stdout}${pushed.stderr}`)}`);

  await publishPackage(join(folder, names.npm), to);
}

/** Of the manifest that an SBOM is about. */
export async function platformDigest(sbom: string): Promise<string> {
  const { metadata } = JSON.parse(await readFile(sbom, 'utf8')) as { metadata: { component: { purl: string } } };
  const [, digest] = /@(sha256%3A[0-9a-f]{64})\?/.exec(metadata.component.purl) ?? [];
  if (digest === undefined) throw new Error(`${sbom} names no digest: ${metadata.component.purl}`);
  return decodeURIComponent(digest);
}

function digestOfPush(said: string): string {
  const [, digest] = /^Digest: (sha256:[0-9a-f]{64})$/m.exec(said) ?? [];
  if (digest === undefined) throw new Error(`helm push named no digest: ${said}`);
  return digest;
}

/** A registry of npm for this machine is not at hand. So npm does all but the upload, and asks a registry that has no package. */
async function publishPackage(file: string, { registry, local }: Destination): Promise<void> {
  const how = local ? ['--dry-run', `--registry=http://${registry}/`] : ['--provenance'];
  const { stdout } = await run('npm', ['publish', resolve(file), '--access=public', '--json', ...how]);
  const { integrity } = Object.values(JSON.parse(stdout) as Record<string, { integrity: string }>)[0] ?? {};
  const own = `sha512-${createHash('sha512')
    .update(await readFile(file))
    .digest('base64')}`;
  if (integrity !== own) throw new Error(`npm took a package with the integrity ${integrity}, and ${file} has ${own}`);
}
