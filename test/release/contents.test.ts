import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, test } from 'vitest';
import { parseLock } from '../../scripts/image/debian/lock.ts';
import { IMAGE_PACKAGES } from '../../scripts/image/debian/packages.ts';
import { PLATFORMS } from '../../scripts/image/platforms.ts';
import { ownVersion } from '../../scripts/release/assemble.ts';
import { namesOf, RELEASE } from '../../scripts/release/files.ts';

/** What the files of a release say of what is in it. */
const names = namesOf(await ownVersion());
const read = (file: string) => readFileSync(join(RELEASE, file), 'utf8');

interface Component {
  readonly group?: string;
  readonly name: string;
  readonly version: string;
  readonly purl: string;
}

describe.each(PLATFORMS)('the SBOM for $architecture', ({ architecture, npm }) => {
  const { components } = JSON.parse(read(names.sboms[architecture])) as { components: Component[] };
  const of = (type: string) => components.filter(({ purl }) => purl.startsWith(type));

  test('has each package of npm that the notices have a license of, once, and Node', () => {
    const licensed = [...read(names.notices).matchAll(/^(\S+ \d\S*) \([\w.-]+\)$/gm)].map(([, name]) => name);
    const found = of('pkg:npm/').map(({ group, name, version }) => `${group === undefined ? '' : `${group}/`}${name} ${version}`);
    const [node, ...bundled] = found;
    expect(bundled.length).toBeGreaterThan(20);
    expect(bundled.toSorted()).toEqual([...new Set(licensed)].toSorted());
    const own = JSON.parse(readFileSync('package.json', 'utf8')) as { optionalDependencies: Record<string, string> };
    expect(node).toBe(`node ${own.optionalDependencies[`node-linux-${npm}`]}`);
  });

  test('has each package of Debian that the image has, once', () => {
    const locked = parseLock(readFileSync(IMAGE_PACKAGES.file, 'utf8'), IMAGE_PACKAGES)[architecture];
    expect(of('pkg:deb/').map(({ name, version }) => `${name} ${version}`)).toEqual(
      locked.map(({ name, version }) => `${name} ${version}`),
    );
  });

  test('has nothing of which developers alone have use', () =>
    expect(components.filter(({ name }) => /vitest|typescript|esbuild|ajv/.test(name))).toEqual([]));
});
