import { createHash } from 'node:crypto';
import { mkdir, writeFile } from 'node:fs/promises';
import { join } from 'node:path';

/** Types of OCI's image specification (https://github.com/opencontainers/image-spec/blob/main/media-types.md). */
export const MEDIA = {
  index: 'application/vnd.oci.image.index.v1+json',
  manifest: 'application/vnd.oci.image.manifest.v1+json',
  config: 'application/vnd.oci.image.config.v1+json',
  layer: 'application/vnd.oci.image.layer.v1.tar+gzip',
} as const;

export interface Descriptor {
  readonly mediaType: string;
  readonly digest: string;
  readonly size: number;
  readonly platform?: { readonly architecture: string; readonly os: string };
}

export function digestOf(content: Buffer): string {
  return `sha256:${createHash('sha256').update(content).digest('hex')}`;
}

/** A folder in OCI's image layout (https://github.com/opencontainers/image-spec/blob/main/image-layout.md): contents by their digest, and an index of them. */
export class Layout {
  readonly #folder: string;

  constructor(folder: string) {
    this.#folder = folder;
  }

  async put(mediaType: string, content: Buffer): Promise<Descriptor> {
    const digest = digestOf(content);
    const blobs = join(this.#folder, 'blobs', 'sha256');
    await mkdir(blobs, { recursive: true });
    await writeFile(join(blobs, digest.slice('sha256:'.length)), content);
    return { mediaType, digest, size: content.length };
  }

  async putJson(mediaType: string, value: object): Promise<Descriptor> {
    return await this.put(mediaType, Buffer.from(JSON.stringify(value)));
  }

  /** Last: what the layout has, under a name. */
  async finish(descriptor: Descriptor, name: string): Promise<void> {
    const manifests = [{ ...descriptor, annotations: { 'org.opencontainers.image.ref.name': name } }];
    await writeFile(join(this.#folder, 'index.json'), JSON.stringify({ schemaVersion: 2, mediaType: MEDIA.index, manifests }));
    await writeFile(join(this.#folder, 'oci-layout'), JSON.stringify({ imageLayoutVersion: '1.0.0' }));
  }
}
