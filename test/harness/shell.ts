import { execFile } from 'node:child_process';
import { chmodSync, mkdtempSync, symlinkSync, writeFileSync } from 'node:fs';
import { join, resolve } from 'node:path';
import { promisify } from 'node:util';
import type { Testbed } from '@irsa-operator/testbed';
import { pythonPackages } from '@irsa-operator/testbed/python';
import { ACCOUNT } from './views.ts';

const REQUIREMENTS = 'test/testbed/aws-cli/requirements.txt';
/** A person waits no longer for a few commands. */
const DEADLINE_MS = 60_000;
/** May read and change what the commands that are printed change. */
const POLICY = JSON.stringify({
  Version: '2012-10-17',
  Statement: [{ Effect: 'Allow', Action: 'iam:*', Resource: '*' }],
});

/**
 * A shell with kubectl and PyPI's aws, in a folder of its own; `npx irsa-operator` is the bundle. Nothing else is in its PATH. It
 * is a person's: the webhook has heard of what a line did before the next one.
 */
export async function shellOf(
  testbed: Testbed,
  { accountId = ACCOUNT, kubeconfig = testbed.kubeconfig }: { readonly accountId?: string; readonly kubeconfig?: string } = {},
): Promise<(lines: readonly string[]) => Promise<void>> {
  const programs = await pythonPackages('aws-cli', REQUIREMENTS);
  const folder = mkdtempSync(join(testbed.folder, 'shell-'));
  symlinkSync(testbed.kubectlPath, join(folder, 'kubectl'));
  symlinkSync(join(programs, 'aws'), join(folder, 'aws'));
  // The package is not published from here: what `npx` would fetch is what was built.
  writeFileSync(join(folder, 'npx'), `#!/bin/sh\nshift\nexec ${process.execPath} ${resolve('dist/irsa-operator.mjs')} "$@"\n`);
  chmodSync(join(folder, 'npx'), 0o755);
  const env = {
    PATH: folder,
    HOME: folder,
    KUBECONFIG: kubeconfig,
    ...testbed.aws.env({ accountId, roleName: 'administrator', identityPolicy: POLICY, sessionName: 'ann' }),
  };
  return async (lines) => {
    const cwd = mkdtempSync(join(folder, 'in-'));
    for (const line of lines) {
      await promisify(execFile)('/bin/sh', ['-euc', line], { cwd, env, timeout: DEADLINE_MS });
      await testbed.webhookCaughtUp();
    }
  };
}
