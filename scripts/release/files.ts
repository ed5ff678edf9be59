import { type Architecture, PLATFORMS } from '../image/platforms.ts';

/** The files of a release, in one folder, as the page of a release on GitHub has them. What registries have is made from them. */
export const RELEASE = 'dist/release';

/** The SHA-256 of every other file, as `sha256sum --check` reads it. It is what is signed. */
export const CHECKSUMS = 'checksums.txt';
/** Its signature, and who signed. */
export const SIGNATURE = `${CHECKSUMS}.bundle`;

export interface Names {
  readonly chart: string;
  readonly npm: string;
  readonly executable: string;
  readonly licenses: string;
  readonly install: string;
  readonly cloudFormation: string;
  readonly notices: string;
  /** The image by its digest. */
  readonly image: string;
  /** What is in the image, for each platform. */
  readonly sboms: Readonly<Record<Architecture, string>>;
}

export function namesOf(version: string): Names {
  const sboms = PLATFORMS.map(({ architecture }) => [architecture, `irsa-operator-${version}-linux-${architecture}.cdx.json`]);
  return {
    chart: `irsa-operator-${version}-chart.tgz`,
    npm: `irsa-operator-${version}-npm.tgz`,
    executable: 'irsa-operator-linux-x64',
    licenses: 'irsa-operator-linux-x64.LICENSES.txt',
    install: 'install.yaml',
    cloudFormation: 'cloudformation.yaml',
    notices: 'THIRD-PARTY-NOTICES.txt',
    image: 'image.txt',
    sboms: Object.fromEntries(sboms) as Names['sboms'],
  };
}
