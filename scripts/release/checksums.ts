import { createHash } from 'node:crypto';
import { readdir, readFile, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { CHECKSUMS, SIGNATURE } from './files.ts';

/** Of every file of the folder but this one and its signature. */
export async function writeChecksums(folder: string): Promise<void> {
  const lines = (await filesIn(folder)).map(async (file) => `${await sha256Of(join(folder, file))}  ${file}\n`);
  await writeFile(join(folder, CHECKSUMS), (await Promise.all(lines)).join(''));
}

/** What is not as it is written: a changed file, one that is missing, and one that is not written down. */
export async function checksumProblems(folder: string): Promise<string[]> {
  const lines = (await readFile(join(folder, CHECKSUMS), 'utf8')).split('\n').filter((line) => line !== '');
  const wanted = new Map(lines.map((line) => [line.slice(66), line.slice(0, 64)]));
  const found = await filesIn(folder);
  const problems = found.map(async (file) => {
    const written = wanted.get(file);
    if (written === undefined) return [`${file}: ${CHECKSUMS} does not name it`];
    const sha256 = await sha256Of(join(folder, file));
    return sha256 === written ? [] : [`${file}: its SHA-256 is ${sha256}, and ${CHECKSUMS} says ${written}`];
  });
  const missing = [...wanted.keys()].filter((file) => !found.includes(file)).map((file) => `${file}: it is missing`);
  return [...(await Promise.all(problems)).flat(), ...missing];
}

async function filesIn(folder: string): Promise<string[]> {
  return (await readdir(folder)).filter((file) => file !== CHECKSUMS && file !== SIGNATURE).sort();
}

async function sha256Of(path: string): Promise<string> {
  return createHash('sha256')
    .update(await readFile(path))
    .digest('hex');
}
