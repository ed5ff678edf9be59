import { setTimeout as sleep } from 'node:timers/promises';
import { type Api, type Testbed, until } from '@irsa-operator/testbed';
import { expect } from 'vitest';
import { ACCOUNT, type Binding, ROLE_ARN } from '../harness/scene.ts';

/** Often enough that a leader is never without work, seldom enough for two cores. */
const PAUSE_MS = 400;
/** The longest pause of a reflector (30 s), then of a key that failed meanwhile; and a machine that is busy. */
const CATCH_UP_MS = 90_000;

export interface Work {
  /** Resolves with how many bindings were made. */
  stop(): Promise<number>;
}

const FOREIGN = {
  Version: '2012-10-17',
  Statement: [{ Effect: 'Allow', Principal: { Service: 'ec2.amazonaws.com' }, Action: 'sts:AssumeRole' }],
};
const roleName = (namespace: string, i: number) => `${namespace}-${i}`;

/** A namespace with a grant, in which a ServiceAccount, its role and its binding are made again and again until it is stopped. */
export async function work(testbed: Testbed, api: Api, namespace: string): Promise<Work> {
  await api.call('POST', '/api/v1/namespaces', { body: { metadata: { name: namespace } } });
  await grant(api, namespace);
  const over = new AbortController();
  let made = 0;
  async function run(): Promise<void> {
    while (!over.signal.aborted) {
      await bind(testbed, api, namespace, made);
      made += 1;
      await sleep(PAUSE_MS);
    }
  }
  const running = run();
  running.catch(() => {}); // `stop` tells
  return {
    async stop() {
      over.abort();
      await running;
      return made;
    },
  };
}

export async function grant(api: Api, namespace: string): Promise<void> {
  const spec = { roleArns: [`arn:aws:iam::${ACCOUNT}:role/*`], namespaces: { names: [namespace] }, serviceAccountNames: ['*'] };
  await api.call('POST', '/apis/irsa-operator.dev/v1alpha1/irsagrants', {
    body: { apiVersion: 'irsa-operator.dev/v1alpha1', kind: 'IrsaGrant', metadata: { name: namespace }, spec },
  });
}

/** Number `i` of a namespace: a role that trusts others only, a ServiceAccount, a binding. */
export async function bind(testbed: Testbed, api: Api, namespace: string, i: number): Promise<void> {
  const role = testbed.aws.account().role.put({ name: roleName(namespace, i), trustPolicy: FOREIGN });
  const metadata = { name: `app-${i}` };
  await api.call('POST', `/api/v1/namespaces/${namespace}/serviceaccounts`, { body: { metadata } });
  await api.call('POST', bindingsPath(namespace), {
    body: {
      apiVersion: 'irsa-operator.dev/v1alpha1',
      kind: 'IrsaBinding',
      metadata,
      spec: { serviceAccountName: metadata.name, roleArn: role.arn },
    },
  });
}

export const bindingsPath = (namespace: string) => `/apis/irsa-operator.dev/v1alpha1/namespaces/${namespace}/irsabindings`;

/** Nothing was missed: each of the first `count` has Ready, its annotation, and its trust beside the foreign one. */
export async function allBound(testbed: Testbed, api: Api, namespace: string, count: number): Promise<void> {
  const numbers = Array.from({ length: count }, (_, i) => i);
  const account = testbed.aws.account();
  await until(
    `${count} bindings of ${namespace} have their due`,
    async () => {
      const [bindings, accounts] = await Promise.all([
        api.call<{ items: Binding[] }>('GET', bindingsPath(namespace)),
        api.call<{ items: { metadata: { name: string; annotations?: Record<string, string> } }[] }>(
          'GET',
          `/api/v1/namespaces/${namespace}/serviceaccounts`,
        ),
      ]);
      const ready = bindings.items.filter(({ status }) =>
        status?.conditions?.some(({ type, status: is }) => type === 'Ready' && is === 'True'),
      );
      const annotated = accounts.items.filter(({ metadata }) => metadata.annotations?.[ROLE_ARN] !== undefined);
      const trusted = numbers.filter((i) => account.role.get(roleName(namespace, i))?.trustPolicy.includes(`:${namespace}:app-${i}"`));
      expect([ready.length, annotated.length, trusted.length]).toEqual([count, count, count]);
      return true;
    },
    { timeoutMs: CATCH_UP_MS },
  );
}
