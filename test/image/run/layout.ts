import { execFile } from 'node:child_process';
import { mkdirSync, readFileSync, symlinkSync, writeFileSync } from 'node:fs';
import { join, resolve } from 'node:path';
import { promisify } from 'node:util';
import type { Descriptor } from '../../../scripts/image/layout.ts';
import type { Architecture } from '../../../scripts/image/platforms.ts';
import type { Tools } from './tools.ts';

/** An image of OCI's layout, as a reader finds its way through it. */

const read = <T>(path: string) => JSON.parse(readFileSync(path, 'utf8')) as T;

interface Index {
  readonly manifests: readonly Descriptor[];
}

/** What `index.json` leads to: the index of all platforms. */
export function imageIn(layout: string): Descriptor {
  const { manifests } = read<Index>(join(layout, 'index.json'));
  if (manifests.length !== 1 || manifests[0] === undefined) throw new Error(`${layout} has ${manifests.length} images`);
  return manifests[0];
}

function blob<T>(layout: string, digest: string): T {
  return read<T>(join(layout, 'blobs', ...digest.split(':')));
}

export function manifestOf(layout: string, architecture: Architecture): Descriptor {
  const { manifests } = blob<Index>(layout, imageIn(layout).digest);
  const found = manifests.find(({ platform }) => platform?.architecture === architecture && platform.os === 'linux');
  if (found === undefined) throw new Error(`${layout} has no image for linux/${architecture}`);
  return found;
}

/** Of its configuration and its layers, compressed. */
export function bytesOf(layout: string, architecture: Architecture): number {
  const manifest = manifestOf(layout, architecture);
  const { config, layers } = blob<{ config: Descriptor; layers: Descriptor[] }>(layout, manifest.digest);
  return [config, ...layers].reduce((sum, { size }) => sum + size, manifest.size);
}

/** Writes the files of one platform into `folder/rootfs`, and how to run them into `folder/config.json`. */
export async function unpack(tools: Tools, layout: string, architecture: Architecture, folder: string): Promise<void> {
  // umoci takes an image by its name, and wants one for one platform.
  const named = { ...manifestOf(layout, architecture), annotations: { 'org.opencontainers.image.ref.name': 'image' } };
  const one = `${folder}.layout`;
  mkdirSync(one, { recursive: true });
  symlinkSync(resolve(layout, 'blobs'), join(one, 'blobs'));
  writeFileSync(join(one, 'oci-layout'), readFileSync(join(layout, 'oci-layout')));
  writeFileSync(join(one, 'index.json'), JSON.stringify({ schemaVersion: 2, manifests: [named] }));
  await promisify(execFile)(tools.umoci, ['unpack', '--image', `${one}:image`, folder]);
}
