import { Fault } from '../../../api/fault.ts';
import { isProblem, type Problem } from '../../../api/problem.ts';
import type { Given } from '../../command.ts';
import { textOf } from '../../text-file.ts';
import { parseBaseline } from './baseline.ts';
import { parseIgnoreFile } from './ignore.ts';
import type { Lists } from './lists.ts';

/** The files of `--ignore` and `--baseline`. Throws a `Fault` with one sentence where one is not right. */
export async function readLists(given: Given): Promise<Lists> {
  const [ignore, baseline] = await Promise.all([read(given, 'ignore', parseIgnoreFile), read(given, 'baseline', parseBaseline)]);
  return {
    ignore: ignore && { file: ignore.file, entries: ignore.parsed },
    baseline: baseline && { file: baseline.file, findings: baseline.parsed },
  };
}

async function read<T>(given: Given, flag: string, parse: (text: string) => T | Problem): Promise<{ file: string; parsed: T } | undefined> {
  const file = given[flag];
  if (typeof file !== 'string') return undefined;
  const parsed = parse(await textOf(file));
  if (isProblem(parsed)) throw new Fault('invalid', `--${flag}: "${file}": ${parsed.problem}`);
  return { file, parsed };
}
