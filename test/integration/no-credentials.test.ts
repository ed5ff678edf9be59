import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { createInterface } from 'node:readline';
import { until } from '@irsa-operator/testbed';
import { expect, test } from 'vitest';
import { OPERATOR_NAMESPACE } from '../harness/objects.ts';
import { LISTEN, type LogLine, notesOfOperator } from '../harness/operator.ts';
import { integrationSuite } from '../harness/suite.ts';

/** A pod whose ServiceAccount has no role: neither keys, nor a token, nor an agent, nor an instance. */
const suite = integrationSuite({ grant: {}, operator: false });
const PATIENCE = { timeoutMs: 60_000 };

// Contract: install-no-credentials
test('without AWS credentials the operator stays ready, says which page helps, and the binding says why it waits', async () => {
  const s = await suite.prepared('keyless');
  await s.bind();
  const kubeconfig = await suite.testbed.kubeconfigFor({ namespace: OPERATOR_NAMESPACE, name: 'irsa-operator' });
  const child = spawn(process.execPath, ['dist/irsa-operator.mjs', 'run', ...LISTEN], {
    stdio: ['ignore', 'pipe', 'ignore'],
    env: {
      PATH: process.env['PATH'],
      HOME: '/nonexistent',
      KUBECONFIG: kubeconfig,
      AWS_REGION: 'us-east-1',
      AWS_EC2_METADATA_DISABLED: 'true',
    },
  });
  const log: LogLine[] = [];
  createInterface({ input: child.stdout }).on('line', (line) => log.push(JSON.parse(line) as LogLine));
  const exited = once(child, 'exit');
  try {
    const page = 'docs/iam.md#who-may-be-the-operator';
    const line = await until('the log says so', () => log.find(({ msg }) => msg === 'no AWS credentials'), PATIENCE);
    expect(line).toMatchObject({ level: 'warn', page });
    const notes = await until(
      'an Event says so',
      async () => {
        const found = await notesOfOperator(suite.testbed, 'NoCredentials');
        return found.length > 0 && found;
      },
      PATIENCE,
    );
    expect(notes).toEqual([
      `irsa-operator has no AWS credentials. Give its ServiceAccount a role, for example by EKS Pod Identity: ${page}`,
    ]);
    const { healthPort } = log.find((each) => 'healthPort' in each) ?? expect.fail('it does not serve');
    expect((await fetch(`http://127.0.0.1:${healthPort}/readyz`)).status).toBe(200);
    expect((await s.conditionIs('Ready', 'Unknown')).message).toContain('See condition');
    expect(suite.testbed.aws.journal).toEqual([]);
  } finally {
    child.kill('SIGTERM');
    await exited;
  }
});
