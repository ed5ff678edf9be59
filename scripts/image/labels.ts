import { PROJECT } from '../../src/api/project.ts';
import type { Commit } from './commit.ts';

/** Of package.json. */
export interface Manifest {
  readonly name: string;
  readonly version: string;
  readonly description: string;
  readonly license: string;
}

/** What registries show of an image, and what leads back to its source (https://github.com/opencontainers/image-spec/blob/main/annotations.md). */
export function labelsOf({ name, version, description, license }: Manifest, { time, revision }: Commit): Record<string, string> {
  const labels = {
    title: name,
    description,
    version,
    licenses: license,
    created: time,
    revision,
    source: PROJECT.repository,
    url: PROJECT.repository,
    documentation: PROJECT.docs,
  };
  return Object.fromEntries(Object.entries(labels).map(([label, value]) => [`org.opencontainers.image.${label}`, value]));
}
