import { mkdtemp, readFile, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join, resolve } from 'node:path';
import { isDeepStrictEqual } from 'node:util';
import { PROJECT } from '../../src/api/project.ts';
import { PLATFORMS } from '../image/platforms.ts';
import { checksumProblems } from './checksums.ts';
import type { Cosign } from './cosign.ts';
import { CHECKSUMS, namesOf, SIGNATURE } from './files.ts';
import { type Destination, digestIn, helmFlags, platformDigest, referenceAt } from './publish.ts';
import { run } from './run.ts';
import type { Tools } from './tools.ts';
import { versionProblems, versionsSaid } from './versions.ts';

/** A part of a release, and what is wrong with it where something is. */
type Check = readonly [part: string, problems: () => Promise<readonly string[]>];

/** What is wrong with a release, as one sees it who downloads its files and pulls from its registry. Empty: nothing. */
export async function problemsOf(folder: string, version: string, at: Destination, tools: Tools, cosign: Cosign): Promise<string[]> {
  const ofThem = await problemsIn(ofFiles(folder, cosign));
  // A file that is not the one that was signed is neither read nor run.
  return ofThem.length > 0 ? ofThem : await problemsIn(ofContents(folder, version, at, tools, cosign));
}

async function problemsIn(checks: readonly Check[]): Promise<string[]> {
  const problems: string[] = [];
  for (const [part, check] of checks) {
    const found = await check().catch((error: Error) => [complaintOf(error)]);
    problems.push(...found.map((problem) => `${part}: ${problem}`));
  }
  return problems;
}

function ofFiles(folder: string, cosign: Cosign): Check[] {
  return [
    ['signature of the files', async () => none(cosign.verifyFile(join(folder, CHECKSUMS), join(folder, SIGNATURE)))],
    ['file', async () => await checksumProblems(folder)],
  ];
}

function ofContents(folder: string, version: string, at: Destination, tools: Tools, cosign: Cosign): Check[] {
  const names = namesOf(version);
  const [image, chart] = [referenceAt(PROJECT.image, at), referenceAt(PROJECT.chart, at)];
  const digestOf = async (reference: string) => (await run(tools.crane, ['digest', `${reference}:${version}`])).stdout.trim();
  return [
    ['version', async () => versionProblems(await versionsSaid(folder, version), version)],
    [
      'image',
      async () => {
        const [found, wanted] = [await digestOf(image), await digestIn(folder, version)];
        if (found !== wanted) return [`the tag ${version} is ${found}, and ${names.image} says ${wanted}`];
        await cosign.verify(`${image}@${found}`);
        await run(tools.crane, ['validate', '--remote', `${image}@${found}`]);
        return await otherTags(image, tools);
      },
    ],
    ...PLATFORMS.map(
      ({ architecture }): Check => [
        `SBOM for ${architecture}`,
        async () => {
          const file = join(folder, names.sboms[architecture]);
          const reference = `${image}@${await platformDigest(file)}`;
          await cosign.verify(reference);
          const sboms = await cosign.sbomsOf(reference);
          const own: unknown = JSON.parse(await readFile(file, 'utf8'));
          const isOwn = sboms.length > 0 && sboms.every((sbom) => isDeepStrictEqual(sbom, own));
          return isOwn ? [] : [`what is signed with the image is not ${names.sboms[architecture]}`];
        },
      ],
    ),
    [
      'chart',
      async () => {
        await cosign.verify(`${chart}@${await digestOf(chart)}`);
        const same = await pulled(chart, version, at, tools, join(folder, names.chart));
        return [...(same ? [] : [`what is pulled is not ${names.chart}`]), ...(await otherTags(chart, tools))];
      },
    ],
  ];
}

async function pulled(chart: string, version: string, at: Destination, { helm }: Tools, file: string): Promise<boolean> {
  const folder = await mkdtemp(join(tmpdir(), 'irsa-operator-chart-'));
  try {
    await run(helm, ['pull', `oci://${chart}`, '--version', version, '--destination', folder, ...helmFlags(at)]);
    const found = await readFile(join(folder, `irsa-operator-${version}.tgz`));
    return found.equals(await readFile(resolve(file)));
  } finally {
    await rm(folder, { recursive: true });
  }
}

/** Tags are versions, and what cosign keeps signatures under. */
async function otherTags(reference: string, { crane }: Tools): Promise<string[]> {
  const tags = (await run(crane, ['ls', reference])).stdout.trim().split('\n');
  return tags
    .filter((tag) => !/^(\d+\.\d+\.\d+(-[\w.]+)?|sha256-[0-9a-f]{64}\.(sig|att))$/.test(tag))
    .map((tag) => `it has the tag "${tag}"`);
}

async function none(work: Promise<void>): Promise<string[]> {
  await work;
  return [];
}

/** What a program says is wrong, in one line. */
function complaintOf({ message }: Error): string {
  const lines = message.split('\n');
  return lines.find((line) => /^(Error|error|FAIL)\b/i.test(line)) ?? lines[0] ?? '';
}
