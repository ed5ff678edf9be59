import { execFile } from 'node:child_process';
import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { promisify } from 'node:util';
import { ensureTool } from '@irsa-operator/testbed';

/** What these locals of a generated file are, by the library of Terraform's language: they need no provider. */
export async function localsOf(file: string, names: readonly string[], variables: object): Promise<Record<string, unknown>> {
  return JSON.parse(await hcldec(file, names, '--vars', JSON.stringify(variables))) as Record<string, unknown>;
}

/** What that library says of a file whose blocks it does not know: a mistake of syntax has a summary of its own. */
export async function complaintsAbout(file: string): Promise<string[]> {
  const { diagnostics } = JSON.parse(await hcldec(file, [], '--diags', 'json')) as { diagnostics: { summary: string }[] };
  return [...new Set(diagnostics.map(({ summary }) => summary))].sort();
}

async function hcldec(file: string, names: readonly string[], ...args: string[]): Promise<string> {
  const attributes = names.map((name) => `attr "${name}" {\n type = any\n}\n`);
  const folder = await mkdtemp(join(tmpdir(), 'irsa-operator-iam-'));
  try {
    const spec = join(folder, 'locals.hcldec');
    await writeFile(spec, `block {\n block_type = "locals"\n object {\n${attributes.join('')}}\n}\n`);
    const program = await ensureTool('hcldec', AbortSignal.timeout(60_000));
    // Diagnostics end it with 1, and are where a shell shows errors.
    const run = promisify(execFile)(program, ['--spec', spec, ...args, file]);
    const { stdout, stderr } = await run.catch((error: { stdout: string; stderr: string }) => error);
    return stdout + stderr;
  } finally {
    await rm(folder, { recursive: true });
  }
}
