import { cpSync, existsSync, mkdirSync, mkdtempSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { ownVersion } from '../../scripts/release/assemble.ts';
import { Cosign } from '../../scripts/release/cosign.ts';
import { CHECKSUMS, namesOf, RELEASE, SIGNATURE } from '../../scripts/release/files.ts';
import { type Destination, digestIn, platformDigest, publish, referenceAt } from '../../scripts/release/publish.ts';
import { type Registry, startRegistry } from '../../scripts/release/registry.ts';
import { run } from '../../scripts/release/run.ts';
import { openTools, type Tools } from '../../scripts/release/tools.ts';
import { problemsOf } from '../../scripts/release/verify.ts';
import { PROJECT } from '../../src/api/project.ts';

/** What `make release-dry-run` made, published into a registry of this test, and then changed by a byte here and there. */
const version = await ownVersion();
const names = namesOf(version);
const home = mkdtempSync(join(tmpdir(), 'irsa-operator-tampering-'));
const [folder, disk] = [join(home, 'release'), join(home, 'blobs')];
let tools: Tools;
let cosign: Cosign;
let registry: Registry;
let at: Destination;
let image: string;
let chart: string;
const problems = () => problemsOf(folder, version, at, tools, cosign);

beforeAll(async () => {
  if (!existsSync(RELEASE)) throw new Error(`there is no release in ${RELEASE}: run make release-dry-run`);
  cpSync(RELEASE, folder, { recursive: true });
  mkdirSync(disk);
  tools = await openTools(join(home, 'tools'), AbortSignal.timeout(240_000));
  cosign = await Cosign.withNewKey(tools.cosign, join(home, 'key'));
  registry = await startRegistry(tools.crane, disk);
  at = { registry: registry.address, local: true };
  [image, chart] = [referenceAt(PROJECT.image, at), referenceAt(PROJECT.chart, at)];
  await publish(folder, version, at, tools, cosign);
});
afterAll(async () => {
  await registry?.stop();
  rmSync(home, { recursive: true, force: true });
});

/** One bit of the byte in the middle is another one while `work` runs. */
async function withFlipped<T>(path: string, work: () => Promise<T>): Promise<T> {
  const flip = () => {
    const content = readFileSync(path);
    const middle = content.length >> 1;
    content.writeUInt8(content.readUInt8(middle) ^ 1, middle);
    writeFileSync(path, content);
  };
  flip();
  try {
    return await work();
  } finally {
    flip();
  }
}

test('what was published has no problem', async () => expect(await problems()).toEqual([]));

test('there is every kind of file that a release has', () => {
  const { sboms, ...others } = names;
  expect(readdirSync(folder).sort()).toEqual([...Object.values(others), ...Object.values(sboms), CHECKSUMS, SIGNATURE].sort());
});

describe('one flipped byte fails the verification', () => {
  const { sboms, ...others } = names;
  test.each([...Object.values(others), ...Object.values(sboms)])('in the file %s, which is named', async (file) => {
    const found = await withFlipped(join(folder, file), problems);
    expect(found).toEqual([expect.stringContaining(`file: ${file}: its SHA-256 is `)]);
  });

  test.each([CHECKSUMS, SIGNATURE])('in %s', async (file) => {
    const found = await withFlipped(join(folder, file), problems);
    expect(found[0]).toMatch(/^signature of the files: /);
  });

  interface Manifest {
    readonly config: { readonly digest: string };
    readonly layers: readonly { readonly digest: string }[];
  }
  const manifestOf = async (reference: string) => JSON.parse(await registry.crane('manifest', reference)) as Manifest;
  const blobOf = (digest: string) => join(disk, ...digest.split(':'));
  const amd64 = async () => `${image}@${await platformDigest(join(folder, names.sboms.amd64))}`;
  /** Where cosign keeps what it says of an image. */
  const besides = (reference: string, digest: string, kind: 'sig' | 'att') => `${reference}:${digest.replace(':', '-')}.${kind}`;

  const blobs: Record<string, { digest: () => Promise<string | undefined>; part: string }> = {
    'a layer of the image': { digest: async () => (await manifestOf(await amd64())).layers[1]?.digest, part: 'image' },
    'the configuration of the image': { digest: async () => (await manifestOf(await amd64())).config.digest, part: 'image' },
    'the signature of the image': {
      digest: async () => (await manifestOf(besides(image, await digestIn(folder, version), 'sig'))).layers[0]?.digest,
      part: 'image',
    },
    'the signed SBOM': {
      digest: async () =>
        (await manifestOf(besides(image, await platformDigest(join(folder, names.sboms.amd64)), 'att'))).layers[0]?.digest,
      part: 'SBOM for amd64',
    },
    'the chart': { digest: async () => (await manifestOf(`${chart}:${version}`)).layers[0]?.digest, part: 'chart' },
    'the signature of the chart': {
      digest: async () => {
        const digest = (await registry.crane('digest', `${chart}:${version}`)).trim();
        return (await manifestOf(besides(chart, digest, 'sig'))).layers[0]?.digest;
      },
      part: 'chart',
    },
  };
  for (const [what, { digest, part }] of Object.entries(blobs))
    test(`in the registry, in ${what}`, async () => {
      const blob = blobOf((await digest()) ?? expect.fail('the manifest names none'));
      const found = await withFlipped(blob, problems);
      expect(found.map((problem) => problem.split(': ')[0])).toEqual([part]);
      expect(await problems()).toEqual([]);
    });
});

test('an image of another build under the same tag is no release', async () => {
  const other = await platformDigest(join(folder, names.sboms.arm64));
  await registry.crane('tag', `${image}@${other}`, version);
  expect(await problems()).toEqual([`image: the tag ${version} is ${other}, and image.txt says ${await digestIn(folder, version)}`]);
  await registry.crane('tag', `${image}@${await digestIn(folder, version)}`, version);
  expect(await problems()).toEqual([]);
});

test('another chart under the same tag has no signature', async () => {
  const own = (await registry.crane('digest', `${chart}:${version}`)).trim();
  const copy = join(home, 'chart');
  cpSync('config/helm/irsa-operator', copy, { recursive: true });
  writeFileSync(join(copy, 'templates', 'more.yaml'), '# one more\n');
  await run(tools.helm, ['package', copy, '--destination', home]);
  const archive = join(home, `irsa-operator-${version}.tgz`);
  await run(tools.helm, ['push', archive, `oci://${dirname(chart)}`, '--plain-http']);
  expect(await problems()).toEqual([expect.stringMatching(/^chart: .*no signatures found/)]);
  await registry.crane('tag', `${chart}@${own}`, version);
  expect(await problems()).toEqual([]);
});

test('a signature by another key counts for nothing', async () => {
  const other = await Cosign.withNewKey(tools.cosign, join(home, 'other-key'));
  expect(await problemsOf(folder, version, at, tools, other)).toEqual([expect.stringMatching(/^signature of the files: /)]);
  const signature = join(folder, SIGNATURE);
  const own = readFileSync(signature);
  await other.signFile(join(folder, CHECKSUMS), signature);
  const found = await problemsOf(folder, version, at, tools, other);
  expect(found.map((problem) => problem.split(': ')[0])).toEqual(['image', 'SBOM for amd64', 'SBOM for arm64', 'chart']);
  writeFileSync(signature, own);
});

test('a tag that moves is a problem', async () => {
  await registry.crane('tag', `${image}:${version}`, 'latest');
  expect(await problems()).toEqual(['image: it has the tag "latest"']);
  await registry.crane('delete', `${image}:latest`).catch(() => {});
});
