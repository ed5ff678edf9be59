/** What the image is for. Debian and OCI name the architectures alike, npm does not. */
export const PLATFORMS = [
  { architecture: 'amd64', npm: 'x64' },
  { architecture: 'arm64', npm: 'arm64' },
] as const;

export type Platform = (typeof PLATFORMS)[number];
export type Architecture = Platform['architecture'];

/** What the processor of this machine runs. */
export const NATIVE: Architecture = process.arch === 'arm64' ? 'arm64' : 'amd64';
