import { fork } from 'node:child_process';
import { once } from 'node:events';
import { fileURLToPath } from 'node:url';
import type { Testbed } from '@irsa-operator/testbed';
import { OPERATOR_NAMESPACE } from '../../harness/objects.ts';
import { OPERATOR_POLICY, OPERATOR_ROLE } from '../../harness/operator.ts';
import type { Size } from './fleet.ts';

export interface Floor {
  readonly firstMs: number;
  readonly allMs: number;
  readonly cpuMs: number;
}

/** What the same writes take a client that decides nothing, as the operator's user and with its role: RBAC and policies cost it the same. */
export async function measureFloor(testbed: Testbed, size: Size, timeoutMs: number): Promise<Floor> {
  const kubeconfig = await testbed.kubeconfigFor({ namespace: OPERATOR_NAMESPACE, name: 'irsa-operator' });
  const caller = { roleName: OPERATOR_ROLE, identityPolicy: OPERATOR_POLICY, sessionName: 'floor' };
  const client = fork(fileURLToPath(new URL('./floor-client.ts', import.meta.url)), [JSON.stringify([size, testbed.issuer])], {
    env: { PATH: process.env['PATH'], KUBECONFIG: kubeconfig, ...testbed.aws.env(caller) },
    timeout: timeoutMs,
  });
  const ended = once(client, 'exit');
  const failed = ended.then(([code, signal]) => Promise.reject(new Error(`the bare client ended with ${code ?? signal}`)));
  failed.catch(() => {}); // it also ends when all went well
  const [floor] = (await Promise.race([once(client, 'message'), failed])) as [Floor];
  await ended;
  return floor;
}
