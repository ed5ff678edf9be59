import { setTimeout as sleep } from 'node:timers/promises';
import { until } from '@irsa-operator/testbed';
import { expect } from 'vitest';
import { FOREIGN } from '../harness/policies.ts';
import type { Scene } from '../harness/scene.ts';
import { type Binding, conditionOf, ROLE_ARN, type ServiceAccount } from '../harness/views.ts';

/** Often enough that a leader is never without work, seldom enough for two cores. */
const PAUSE_MS = 400;
/** The longest pause of a reflector (30 s), then of a key that failed meanwhile; and a machine that is busy. */
const CATCH_UP_MS = 90_000;

export interface Work {
  /** Resolves with how many bindings were made. */
  stop(): Promise<number>;
}

/** A ServiceAccount, its role and its binding are made again and again until it is stopped. */
export function work(scene: Scene): Work {
  const over = new AbortController();
  let made = 0;
  async function run(): Promise<void> {
    while (!over.signal.aborted) {
      await bindNumber(scene, made);
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

const roleName = ({ roleName: name }: Scene, i: number) => `${name}-${i}`;

/** Number `i` of a namespace: a role that trusts others only, a ServiceAccount, a binding. */
export async function bindNumber(scene: Scene, i: number): Promise<void> {
  const name = `app-${i}`;
  const roleArn = scene.role(FOREIGN, { name: roleName(scene, i) });
  await scene.serviceAccount({}, name);
  await scene.bind({ serviceAccountName: name, roleArn }, name);
}

/** Nothing was missed: each of the first `count` has Ready, its annotation, and its trust beside the foreign one. */
export async function allBound(scene: Scene, count: number): Promise<void> {
  const numbers = Array.from({ length: count }, (_, i) => i);
  await until(
    `${count} bindings of ${scene.namespace} have their due`,
    async () => {
      const [bindings, accounts] = await Promise.all([scene.list<Binding>('irsabindings'), scene.list<ServiceAccount>('serviceaccounts')]);
      const ready = bindings.filter((one) => conditionOf(one, 'Ready')?.status === 'True');
      const annotated = accounts.filter(({ metadata }) => metadata.annotations?.[ROLE_ARN] !== undefined);
      const trusted = numbers.filter((i) => scene.trust(roleName(scene, i)).includes(`"${scene.subjectOf(`app-${i}`)}"`));
      expect([ready.length, annotated.length, trusted.length]).toEqual([count, count, count]);
      return true;
    },
    { timeoutMs: CATCH_UP_MS },
  );
}
