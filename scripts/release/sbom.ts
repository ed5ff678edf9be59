import type { LockedPackage } from '../image/debian/lock.ts';
import type { Architecture } from '../image/platforms.ts';

/** A package of npm, as package-lock.json pins it. */
export interface NpmPackage {
  readonly name: string;
  readonly version: string;
  readonly license: string;
  /** `sha512-` and base64. */
  readonly integrity: string;
}

export interface Contents {
  readonly version: string;
  readonly architecture: Architecture;
  /** Of the release of Debian. */
  readonly suite: string;
  /** RFC 3339. */
  readonly created: string;
  /** The image without its tag, and the digest of its manifest for this platform. */
  readonly image: string;
  readonly digest: string;
  readonly node: NpmPackage;
  readonly bundled: readonly NpmPackage[];
  readonly debian: readonly LockedPackage[];
}

/**
 * What is in the image for one platform, in the format of CycloneDX (https://cyclonedx.org/docs/1.6/json/). The npm package and the executable have less
 * than this. The packages of Debian have no license here: each has several, and their texts are in the image.
 */
export function sbomOf({ version, architecture, suite, created, image, digest, node, bundled, debian }: Contents): object {
  const [, name = ''] = /([^/]+)$/.exec(image) ?? [];
  const purl = `pkg:oci/${name}@${encodeURIComponent(digest)}?arch=${architecture}&repository_url=${encodeURIComponent(image)}&tag=${version}`;
  const npm = new Map(bundled.map((one) => [`${one.name}@${one.version}`, one]));
  return {
    $schema: 'http://cyclonedx.org/schema/bom-1.6.schema.json',
    bomFormat: 'CycloneDX',
    specVersion: '1.6',
    version: 1,
    metadata: {
      timestamp: created,
      component: { type: 'container', 'bom-ref': purl, name, version, purl, licenses: [{ license: { id: 'Apache-2.0' } }] },
    },
    components: [
      nodeComponent(node),
      ...[...npm.values()].toSorted((a, b) => (a.name < b.name ? -1 : 1)).map(npmComponent),
      ...debian.map((one) => debianComponent(one, architecture, suite)),
    ],
  };
}

function npmComponent({ name, version, license, integrity }: NpmPackage): object {
  const [group, own] = name.startsWith('@') ? name.split('/') : [undefined, name];
  const purl = purlOf(name, version);
  return {
    type: 'library',
    'bom-ref': purl,
    ...(group === undefined ? {} : { group }),
    name: own,
    version,
    hashes: [sha512(integrity)],
    licenses: [{ license: { id: license } }],
    purl,
  };
}

/** By the name that advisories have for it. */
function nodeComponent({ name, version, integrity }: NpmPackage): object {
  const purl = purlOf(name, version);
  return {
    type: 'application',
    'bom-ref': purl,
    name: 'node',
    version,
    hashes: [sha512(integrity)],
    licenses: [{ license: { id: 'MIT' } }],
    cpe: `cpe:2.3:a:nodejs:node.js:${version}:*:*:*:*:*:*:*`,
    purl,
  };
}

function debianComponent({ name, version, sha256 }: LockedPackage, architecture: Architecture, suite: string): object {
  const purl = `pkg:deb/debian/${encodeURIComponent(name)}@${encodeURIComponent(version)}?arch=${architecture}&distro=${suite}`;
  return { type: 'library', 'bom-ref': purl, name, version, hashes: [{ alg: 'SHA-256', content: sha256 }], purl };
}

/** https://github.com/package-url/purl-spec/blob/main/types-doc/npm-definition.md */
function purlOf(name: string, version: string): string {
  return `pkg:npm/${name.replace('@', '%40')}@${encodeURIComponent(version)}`;
}

function sha512(integrity: string): object {
  const [, base64] = /^sha512-([A-Za-z0-9+/]+=*)$/.exec(integrity) ?? [];
  if (base64 === undefined) throw new Error(`an integrity is ${JSON.stringify(integrity)}, and wanted is one SHA-512`);
  return { alg: 'SHA-512', content: Buffer.from(base64, 'base64').toString('hex') };
}
