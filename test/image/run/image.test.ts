import { existsSync, mkdtempSync, readdirSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { parseLock } from '../../../scripts/image/debian/lock.ts';
import { IMAGE_PACKAGES } from '../../../scripts/image/debian/packages.ts';
import { IMAGE, writeImage } from '../../../scripts/image/image.ts';
import { type Architecture, NATIVE, PLATFORMS } from '../../../scripts/image/platforms.ts';
import { type Registry, startRegistry } from '../../../scripts/release/registry.ts';
import { ARTICLE, annotated, NOT_AUTHORIZED } from '../../harness/article.ts';
import { integrationSuite, SWEEP } from '../../harness/suite.ts';
import { memoryBytes } from '../deployment.ts';
import { Container } from './container.ts';
import { binariesIn } from './elf.ts';
import { startInCluster } from './in-cluster.ts';
import { bytesOf, imageIn, unpack } from './layout.ts';
import { FOREIGN, openTools, type Tools } from './tools.ts';

/** The image of `make image`, and the one that comes back from a registry. Run by runc, as config/manager would have it run. */

/** More would be noticed on a node that starts the operator for the first time. */
const MAX_BYTES = 60_000_000;
/** OpenShift gives each namespace users of its own, from a billion on. */
const OPENSHIFT_UID = 1_000_680_000;
const { version } = JSON.parse(readFileSync('package.json', 'utf8')) as { version: string };
const ARCHITECTURES = PLATFORMS.map(({ architecture }) => architecture);

const suite = integrationSuite({ operator: false, grant: {} });
const folder = mkdtempSync(join(tmpdir(), 'irsa-operator-image-'));
const PULLED = join(folder, 'pulled');
const containers: Container[] = [];
let tools: Tools;
let registry: Registry;
let name: string;

async function containerOf(layout: string, architecture: Architecture): Promise<Container> {
  const to = join(folder, `container-${containers.length}`);
  await unpack(tools, layout, architecture, to);
  const container = new Container(tools, to);
  containers.push(container);
  return container;
}

beforeAll(async () => {
  if (process.platform !== 'linux' || process.getuid?.() !== 0)
    throw new Error('containers are run on Linux, by root: run make image-test as root');
  if (!existsSync(IMAGE)) throw new Error(`there is no image in ${IMAGE}: run make image`);
  tools = await openTools(join(folder, 'tools'), AbortSignal.timeout(240_000));
  registry = await startRegistry(tools.crane);
  name = `${registry.address}/irsa-operator:${version}`;
  await registry.crane('push', IMAGE, name);
  await registry.crane('pull', '--format', 'oci', name, PULLED);
});
afterAll(async () => {
  for (const container of containers) await container.remove();
  await registry?.stop();
  rmSync(folder, { recursive: true, force: true });
});

describe('the image', () => {
  test('is the same to the byte when it is made again', async () => {
    const again = join(folder, 'again');
    const { digest } = await writeImage(again);
    expect(digest).toBe(imageIn(IMAGE).digest);
    expect(readdirSync(join(again, 'blobs', 'sha256'))).toEqual(readdirSync(join(IMAGE, 'blobs', 'sha256')));
  });

  test.each(ARCHITECTURES)('has at most 60 MB to load for %s', (architecture) =>
    expect(bytesOf(IMAGE, architecture)).toBeLessThanOrEqual(MAX_BYTES),
  );

  test('is one that a registry takes, and gives back under the same digest', async () => {
    expect(await registry.crane('validate', '--remote', name)).toContain('PASS');
    expect((await registry.crane('digest', name)).trim()).toBe(imageIn(IMAGE).digest);
    expect(imageIn(PULLED).digest).toBe(imageIn(IMAGE).digest);
  });
});

describe.each(ARCHITECTURES)('the image for %s', (architecture) => {
  let container: Container;
  beforeAll(async () => {
    container = await containerOf(IMAGE, architecture);
  });

  test('has programs and libraries of this architecture, and of no other', () => {
    const binaries = binariesIn(container.rootfs);
    expect([...binaries.keys()]).toContain('/usr/local/bin/node');
    expect([...binaries.keys()].some((path) => path.includes('/libatomic.so'))).toBe(true);
    expect([...binaries].filter(([, of]) => of !== architecture)).toEqual([]);
  });

  test('shows scanners the packages of the lock, in their versions', () => {
    const place = join(container.rootfs, 'var/lib/dpkg/status.d');
    const shown = readdirSync(place).map((file) => {
      const control = readFileSync(join(place, file), 'utf8');
      const field = (of: string) => new RegExp(`^${of}: (.*)$`, 'm').exec(control)?.[1];
      return { name: field('Package'), version: field('Version') };
    });
    const locked = parseLock(readFileSync(IMAGE_PACKAGES.file, 'utf8'), IMAGE_PACKAGES)[architecture];
    expect(shown).toEqual(locked.map((of) => ({ name: of.name, version: of.version })));
  });

  test('has the licenses of all that is in it', () => {
    const read = (path: string) => readFileSync(join(container.rootfs, path), 'utf8');
    expect(read('licenses/LICENSE')).toBe(readFileSync('LICENSE', 'utf8'));
    expect(read('licenses/THIRD-PARTY-NOTICES.txt')).toContain('undici');
    expect(read('licenses/node/LICENSE')).toContain('Node.js is licensed');
    for (const { name: of } of parseLock(readFileSync(IMAGE_PACKAGES.file, 'utf8'), IMAGE_PACKAGES)[architecture])
      expect(read(`usr/share/doc/${of}/copyright`)).not.toBe('');
  });

  test('starts', async () => {
    const emulated =
      architecture === FOREIGN
        ? { command: ['/qemu', '/usr/local/bin/node', '/irsa-operator.mjs', 'version'], mounts: { '/qemu': tools.qemu } }
        : {};
    expect(await container.run({ args: ['version'], ...emulated })).toEqual({ code: 0, stdout: `${version}\n`, stderr: '' });
  });
});

describe('in the container', () => {
  let container: Container;
  beforeAll(async () => {
    container = await containerOf(IMAGE, NATIVE);
  });
  const evaluate = async (expression: string) => {
    const { stdout, stderr } = await container.run({ command: ['/usr/local/bin/node', '--print', `JSON.stringify(${expression})`] });
    if (stdout === '') throw new Error(stderr);
    return JSON.parse(stdout) as unknown;
  };

  test('the process is nobody, has no capability and can get none', async () => {
    expect(await evaluate('[process.getuid(), process.getgid(), process.getgroups()]')).toEqual([65_532, 65_532, [65_532]]);
    const status = String(await evaluate(`require('fs').readFileSync('/proc/self/status', 'utf8')`));
    expect(status.match(/^(?:Cap\w+|NoNewPrivs):.*$/gm)?.map((line) => line.split(/:\s+/))).toEqual([
      ...['CapInh', 'CapPrm', 'CapEff', 'CapBnd', 'CapAmb'].map((set) => [set, '0000000000000000']),
      ['NoNewPrivs', '1'],
    ]);
  });

  test('it can write nowhere', async () => {
    const codes = await evaluate(`['/', '/tmp', '/home/nonroot', '/run', '/var/run'].map((folder) => {
      try { require('fs').writeFileSync(folder + '/file', ''); return 'written'; } catch (error) { return error.code; }
    })`);
    expect(codes).toEqual(['EROFS', 'EROFS', 'EROFS', 'EROFS', 'EROFS']);
  });

  test('the heap is smaller than the memory limit of the Deployment, and source maps are off', async () => {
    const [heap, limit, sourceMaps] = (await evaluate(
      `[require('v8').getHeapStatistics().heap_size_limit, process.constrainedMemory(), process.sourceMapsEnabled]`,
    )) as [number, number, boolean];
    expect(limit).toBe(memoryBytes());
    expect(heap).toBeLessThan(limit);
    expect(sourceMaps).toBe(false);
  });

  test('the roots of TLS are readable certificates', async () => {
    const read = `require('fs').readFileSync('/etc/ssl/certs/ca-certificates.crt', 'utf8').split(/(?=-----BEGIN)/)`;
    expect(
      await evaluate(`${read}.map((pem) => new (require('crypto').X509Certificate)(pem).ca).every(Boolean) && ${read}.length > 100`),
    ).toBe(true);
  });

  test('it may be a user that the image does not know, as on OpenShift', async () =>
    expect(await container.run({ args: ['version'], uid: OPENSHIFT_UID })).toEqual({ code: 0, stdout: `${version}\n`, stderr: '' }));
});

const wrong = ARTICLE['the trust policy has a service principal and sts:AssumeRole'];

describe.each([
  ['made', IMAGE],
  ['pulled', PULLED],
])('the image that was %s, in a cluster', (which, layout) => {
  test('leads, and makes the pods of the article Ready', async () => {
    if (wrong === undefined) throw new Error('the article has no such case');
    const scene = await suite.scene(`image-${which}`);
    scene.role(wrong.policy(scene));
    await scene.serviceAccount(annotated(scene));
    await scene.deployment();
    expect(await scene.refused()).toMatch(NOT_AUTHORIZED);
    await scene.bind();

    const operator = await startInCluster(suite.testbed, await containerOf(layout, NATIVE), `container-${which}`, SWEEP);
    await scene.conditionIs('Ready', 'True', 'Ready');
    await scene.allReady();
    expect(operator.log.map(({ msg }) => msg)).toContain('became leader');
    expect(operator.log.filter(({ level }) => level === 'error')).toEqual([]);
    expect(await operator.stop()).toBe(0);
  });
});
