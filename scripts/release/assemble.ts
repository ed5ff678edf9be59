import { copyFile, mkdir, mkdtemp, readFile, rename, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join, resolve } from 'node:path';
import type { Metafile } from 'esbuild';
import { PROJECT } from '../../src/api/project.ts';
import { bundle, NOTICES } from '../bundle.ts';
import { currentCommit } from '../image/commit.ts';
import { parseLock } from '../image/debian/lock.ts';
import { IMAGE_PACKAGES } from '../image/debian/packages.ts';
import { IMAGE, type Made, writeImage } from '../image/image.ts';
import { type Architecture, PLATFORMS } from '../image/platforms.ts';
import { bundledFolders } from '../package/bundled.ts';
import { writeChecksums } from './checksums.ts';
import { namesOf, RELEASE } from './files.ts';
import { run } from './run.ts';
import { type NpmPackage, sbomOf } from './sbom.ts';
import type { Tools } from './tools.ts';

const CHART = 'config/helm/irsa-operator';
const EXECUTABLE = 'dist/irsa-operator-linux-x64';

/** Of package.json, which every part of a release has. */
export async function ownVersion(): Promise<string> {
  return (JSON.parse(await readFile('package.json', 'utf8')) as { version: string }).version;
}

/** Makes all files of a release, and the image, by the commands that developers use. Nothing leaves this machine. */
export async function assemble({ helm }: Pick<Tools, 'helm'>): Promise<Made> {
  if (process.platform !== 'linux' || process.arch !== 'x64')
    throw new Error(
      `a release is made on Linux with an x64 processor, because of ${EXECUTABLE}. This is ${process.platform} with ${process.arch}`,
    );
  const version = await ownVersion();
  const names = namesOf(version);
  const to = (name: string) => join(RELEASE, name);
  await rm(RELEASE, { recursive: true, force: true });
  await mkdir(RELEASE, { recursive: true });

  await run(process.execPath, ['scripts/package/main.ts']);
  await run(process.execPath, ['scripts/install-yaml.ts']);
  const metafile = await bundle();
  const made = await writeImage(IMAGE);

  await copyFile(EXECUTABLE, to(names.executable));
  await copyFile(`${EXECUTABLE}.LICENSES.txt`, to(names.licenses));
  await copyFile('dist/install.yaml', to(names.install));
  await copyFile('config/iam/cloudformation.yaml', to(names.cloudFormation));
  await copyFile(NOTICES, to(names.notices));
  await packed(to(names.chart), (folder) => run(helm, ['package', CHART, '--destination', folder]));
  await packed(to(names.npm), (folder) => run('npm', ['pack', resolve('dist/npm'), '--pack-destination', folder], { cwd: folder }));
  await writeFile(to(names.image), `${PROJECT.image}:${version}@${made.digest}\n`);
  for (const { architecture, npm } of PLATFORMS)
    await writeFile(to(names.sboms[architecture]), await sbom(metafile, made, version, architecture, npm));
  await writeChecksums(RELEASE);
  return made;
}

/** helm and npm both call it NAME-VERSION.tgz. */
async function packed(file: string, pack: (folder: string) => Promise<unknown>): Promise<void> {
  const folder = await mkdtemp(join(tmpdir(), 'irsa-operator-release-'));
  try {
    await pack(folder);
    await copyFile(join(folder, `irsa-operator-${await ownVersion()}.tgz`), `${file}.part`);
    await rename(`${file}.part`, file);
  } finally {
    await rm(folder, { recursive: true });
  }
}

async function sbom(metafile: Metafile, made: Made, version: string, architecture: Architecture, npm: string): Promise<string> {
  const { packages } = JSON.parse(await readFile('package-lock.json', 'utf8')) as { packages: Record<string, Omit<NpmPackage, 'name'>> };
  const locked = (folder: string): NpmPackage => {
    const found = packages[folder];
    if (found === undefined) throw new Error(`${folder} is in the bundle, and package-lock.json does not have it`);
    return { ...found, name: folder.slice(folder.lastIndexOf('node_modules/') + 'node_modules/'.length) };
  };
  const debian = parseLock(await readFile(IMAGE_PACKAGES.file, 'utf8'), IMAGE_PACKAGES);
  const contents = sbomOf({
    version,
    architecture,
    suite: debian.suite,
    created: (await currentCommit()).time,
    image: PROJECT.image,
    digest: made.platforms[architecture],
    node: locked(`node_modules/node-linux-${npm}`),
    bundled: bundledFolders(metafile).map(locked),
    debian: debian[architecture],
  });
  return `${JSON.stringify(contents, undefined, 2)}\n`;
}
