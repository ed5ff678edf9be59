import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { text } from 'node:stream/consumers';
import { ensureTool } from '@irsa-operator/testbed';
import { parse } from 'yaml';

/** What others make of the objects of this project, by the code that they run. */

/** In the layout of Argo CD's `resource_customizations`. */
export const CUSTOMIZATION = 'config/argocd/irsa-operator.dev/IrsaBinding';
export const TESTDATA = join(CUSTOMIZATION, 'testdata');
const DEADLINE_MS = 60_000;

export interface Ended {
  readonly code: number | null;
  readonly stdout: string;
  readonly stderr: string;
}

/** A program of a Go module that the testbed pins. */
export async function runTool(name: Parameters<typeof ensureTool>[0], args: readonly string[], input = ''): Promise<Ended> {
  const signal = AbortSignal.timeout(DEADLINE_MS);
  const child = spawn(await ensureTool(name, signal), [...args], { stdio: ['pipe', 'pipe', 'pipe'], signal });
  child.stdin.end(input);
  const [stdout, stderr, [code]] = await Promise.all([text(child.stdout), text(child.stderr), once(child, 'close')]);
  return { code: code as number | null, stdout, stderr };
}

async function answerOf(name: Parameters<typeof ensureTool>[0], args: readonly string[], input: unknown): Promise<unknown> {
  const { code, stdout, stderr } = await runTool(name, args, JSON.stringify(input));
  if (code !== 0) throw new Error(`${name} ${args.join(' ')} ended with ${code}: ${stderr}`);
  return JSON.parse(stdout);
}

/** What a script of the customization returns for an object. */
export const runLua = (script: string, object: object): Promise<unknown> => answerOf('argocd-lua', [join(CUSTOMIZATION, script)], object);

/** The status that kstatus computes of each. */
export async function kstatusOf(objects: readonly object[]): Promise<{ readonly status: string; readonly message: string }[]> {
  return (await answerOf('kstatus', [], objects)) as { status: string; message: string }[];
}

export const objectIn = (path: string): object => parse(readFileSync(path, 'utf8')) as object;
