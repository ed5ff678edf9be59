import { setTimeout as sleep } from 'node:timers/promises';
import { until } from '@irsa-operator/testbed';
import { allowing, EC2, isOurs, policy } from '../harness/policies.ts';
import type { Suite } from '../harness/suite.ts';
import { ROLE_ARN } from '../harness/views.ts';

const PATIENCE = { timeoutMs: 120_000 };

export interface Activity {
  /** Epoch milliseconds. */
  readonly began: number;
  /** One that has conditions, findings, pods and alerts. */
  readonly binding: { readonly namespace: string; readonly name: string };
}

/** Something of everything that dashboards show: what works, what is repaired, what is restarted, what waits, and what has no binding. */
export async function busy(suite: Suite): Promise<Activity> {
  const { testbed } = suite;
  const began = Date.now();
  // Pods without the role, which are restarted.
  const shop = await suite.prepared('shop');
  await shop.deployment();
  await shop.refused();
  await shop.bind();
  await shop.conditionIs('Ready', 'True', 'Ready');
  await shop.allReady();
  // Drift, and its repair.
  await shop.annotate({ [ROLE_ARN]: 'arn:aws:iam::111122223333:role/another' }, 'helm');
  await until('the annotation is repaired', async () => (await shop.annotations())?.[ROLE_ARN] === shop.roleArn, PATIENCE);
  // A binding with pods that waits for a person.
  const bank = await suite.prepared('bank');
  await bank.deployment();
  await bank.bind({ roleArn: `${bank.roleArn}-missing` });
  await bank.conditionIs('Stalled', 'True');
  // Pods that a budget keeps from their restart.
  const library = await suite.prepared('library');
  await library.workload('deployments');
  await library.allReady();
  await library.put('poddisruptionbudgets', 'app', { spec: { minAvailable: 2, selector: { matchLabels: { app: 'app' } } } });
  await library.bind();
  await library.conditionIs('PodsCurrent', 'False', 'EvictionBlocked');
  // ServiceAccounts that no binding names: STS accepts one of them.
  const audited = await suite.scene('audited');
  audited.role(policy(allowing(testbed.issuer, audited.subject)));
  await audited.serviceAccount({ [ROLE_ARN]: audited.roleArn });
  const refused = audited.role(undefined, { name: 'role-of-nobody' });
  await audited.serviceAccount({ [ROLE_ARN]: refused }, 'refused');
  // Trust that no grant covers.
  const own = shop.statements().filter((one) => isOurs(one, testbed.issuer));
  const restored = await suite.scene('restored', { granted: false });
  restored.role(JSON.parse(JSON.stringify(policy(...own)).replaceAll(shop.subject, restored.subject)));
  return { began, binding: { namespace: 'bank', name: 'app' } };
}

/** Some minutes later: AWS fails for a while, then teams come, and one of their roles is full. */
export async function busyAgain(suite: Suite): Promise<void> {
  const { aws, issuer } = suite.testbed;
  const outage = aws.fault({ kind: 'serviceUnavailable', service: 'iam', times: Number.POSITIVE_INFINITY });
  await sleep(30_000);
  outage.end();
  for (const name of ['books', 'garden', 'toys', 'music']) {
    const scene = await suite.prepared(name);
    await scene.deployment();
    await scene.bind();
    await sleep(10_000);
  }
  const others = Array.from({ length: 24 }, (_, index) => `system:serviceaccount:elsewhere:service-account-number-${index}-of-this-role`);
  const full = await suite.prepared('full', policy(EC2, allowing(issuer, others)));
  await full.bind();
  await sleep(20_000);
}
