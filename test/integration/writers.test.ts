import { type ChildProcess, spawn } from 'node:child_process';
import { once } from 'node:events';
import { until } from '@irsa-operator/testbed';
import { type AwsDouble, startAwsDouble } from '@irsa-operator/testbed/aws';
import { afterEach, expect, test } from 'vitest';
import { EC2, policy } from '../harness/policies.ts';
import { isOurs, QUOTA, sidOf, statementsOf, writesOf } from '../writers/writer.ts';

/** Four clusters in four processes, each with the unmodified SDK, write one role of one IAM at once (32 in virtual time: test/writers). */
const WRITERS = 4;
/** Both read-backs of the last write, and a moment. */
const STANDS_MS = 12_000;

let aws: AwsDouble | undefined;
const processes: ChildProcess[] = [];
afterEach(async () => {
  await Promise.all(processes.splice(0).map(end));
  await aws?.stop();
});

async function end(child: ChildProcess): Promise<void> {
  if (child.exitCode !== null || child.signalCode !== null) return;
  const exited = once(child, 'exit');
  child.kill('SIGTERM');
  await exited;
}

// Contract: trust-clusters, trust-lost-update
test('all fthe statement of irsa-operators stand at the end, once each, and the rest is as it was', async () => {
  const double = await startAwsDouble();
  aws = double;
  double.account().setQuota(QUOTA);
  double.account().role.put({ name: 'app', path: '/team/', trustPolicy: policy(EC2) });
  const roleId = double.account().role.get('app')?.id ?? '';
  double.behave({ latencyMs: [20, 80], staleMs: { GetRole: 2_000, ListRoles: 2_000 } });
  for (let index = 0; index < WRITERS; index++) {
    const env = { PATH: process.env['PATH'], ...double.env({ roleName: `operator-${index}` }) };
    processes.push(
      spawn(process.execPath, ['test/writers/process.ts', String(index), roleId], { env, stdio: ['ignore', 'inherit', 'inherit'] }),
    );
  }
  const sids = Array.from({ length: WRITERS }, (_, index) => sidOf(index)).toSorted();
  let since: number | undefined;
  await until(
    'all fthe statement of irsa-operators stand, for as long as a write can be in doubt',
    () => {
      const found = statementsOf(double)
        .filter(isOurs)
        .flatMap(({ Sid }) => Sid ?? []);
      const all = found.toSorted().join() === sids.join();
      since = all ? (since ?? Date.now()) : undefined;
      return since !== undefined && Date.now() - since > STANDS_MS;
    },
    { timeoutMs: 150_000 },
  );
  expect(statementsOf(double).filter((statement) => !isOurs(statement))).toEqual([EC2]);
  expect(processes.map(({ exitCode }) => exitCode)).toEqual([null, null, null, null]);
  expect(writesOf(double)).toBeGreaterThanOrEqual(WRITERS);
});
