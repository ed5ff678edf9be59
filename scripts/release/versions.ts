import { readFile } from 'node:fs/promises';
import { join, resolve } from 'node:path';
import { gunzipSync } from 'node:zlib';
import { parse, parseAllDocuments } from 'yaml';
import { readTar } from '../image/tar/read.ts';
import { namesOf } from './files.ts';
import { run } from './run.ts';

/** What each part of a release says its version is. The executable says it itself, so this is for Linux on x64, where it is made. */
export async function versionsSaid(folder: string, version: string): Promise<Record<string, string>> {
  const names = namesOf(version);
  const chart = parse(await textIn(join(folder, names.chart), 'irsa-operator/Chart.yaml')) as { version: string; appVersion: string };
  const npm = JSON.parse(await textIn(join(folder, names.npm), 'package/package.json')) as { version: string };
  const install = await readFile(join(folder, names.install), 'utf8');
  const images = parseAllDocuments(install).flatMap((document) => imagesIn(document.toJS()));
  return {
    [`${names.npm}: version`]: npm.version,
    [`${names.chart}: version`]: chart.version,
    [`${names.chart}: appVersion`]: chart.appVersion,
    ...Object.fromEntries(images.map((image, at) => [`${names.install}: image ${at + 1}`, image.split(':').at(-1) ?? ''])),
    [`${names.image}: tag`]: tagIn(await readFile(join(folder, names.image), 'utf8')),
    [names.executable]: (await run(resolve(folder, names.executable), ['version'])).stdout.trim(),
  };
}

/** A release is of one version, and nothing of it names a version that moves. */
export function versionProblems(said: Readonly<Record<string, string>>, version: string): string[] {
  return Object.entries(said).flatMap(([where, found]) =>
    found === version ? [] : [`${where} is ${JSON.stringify(found)}, and the release is "${version}"`],
  );
}

/** `REGISTRY/NAME:TAG@DIGEST` */
function tagIn(image: string): string {
  return /:([^:@]+)@/.exec(image)?.[1] ?? '';
}

async function textIn(archive: string, path: string): Promise<string> {
  const found = readTar(gunzipSync(await readFile(archive))).find((entry) => entry.path === path);
  if (found?.kind !== 'file') throw new Error(`${archive} has no ${path}`);
  return found.content.toString('utf8');
}

function imagesIn(manifest: unknown): string[] {
  if (typeof manifest !== 'object' || manifest === null) return [];
  return Object.entries(manifest).flatMap(([name, value]) => (name === 'image' && typeof value === 'string' ? [value] : imagesIn(value)));
}
