import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { mkdtempSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { text } from 'node:stream/consumers';
import { ensureTool } from '@irsa-operator/testbed';
import { parseAllDocuments } from 'yaml';

export const CHART = 'config/helm/irsa-operator';
/** Longer than any `--timeout` of a test. */
const DEADLINE_MS = 170_000;

export interface Manifest {
  readonly apiVersion: string;
  readonly kind: string;
  readonly metadata: { name: string; namespace?: string; labels?: Record<string, string>; annotations?: Record<string, string> };
  readonly [field: string]: unknown;
}

/** Returns what it wrote. Throws with its complaint. */
export type Helm = (args: readonly string[], values?: object) => Promise<string>;

/** The real helm, with a home of its own. Without a kubeconfig there is no cluster. */
export function helmOf(kubeconfig = '/nonexistent'): Helm {
  const home = mkdtempSync(join(tmpdir(), 'irsa-operator-helm-'));
  let calls = 0;
  return async (args, values) => {
    const file = join(home, `values-${++calls}.json`);
    if (values !== undefined) writeFileSync(file, JSON.stringify(values));
    const given = values === undefined ? [] : ['--values', file];
    const child = spawn(await ensureTool('helm', AbortSignal.timeout(DEADLINE_MS)), [...args, ...given], {
      env: { PATH: process.env['PATH'], HOME: home, KUBECONFIG: kubeconfig },
      stdio: ['ignore', 'pipe', 'pipe'],
      signal: AbortSignal.timeout(DEADLINE_MS),
    });
    const [stdout, stderr, [code]] = await Promise.all([text(child.stdout), text(child.stderr), once(child, 'close')]);
    if (code !== 0) throw new Error(`helm ${args[0]} ended with ${code}: ${stderr.trim()}`);
    return stdout;
  };
}

export function manifestsIn(yaml: string): Manifest[] {
  return parseAllDocuments(yaml).flatMap((document) => {
    const manifest = document.toJS() as Manifest | null;
    return manifest === null ? [] : [manifest];
  });
}

/** Where it is as an object: kind, namespace, name. */
export const nameOf = ({ kind, metadata }: Manifest): string => [kind, metadata.namespace ?? '', metadata.name].join('/');
