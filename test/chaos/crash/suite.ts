import { connect, makeAuthority, makeServerIdentity, startTestbed } from '@irsa-operator/testbed';
import { OPERATOR_NAMESPACE } from '../../harness/objects.ts';
import { install, OPERATOR_POLICY, OPERATOR_ROLE } from '../../harness/operator.ts';
import { MOMENTS, type Point } from './crash.ts';
import { type Crashed, Interrupted, type Played, playUndisturbed, playWithCrash, type Theatre } from './play.ts';
import type { Scenario } from './scenarios.ts';
import { AUDIENCES } from './stage.ts';

export interface Trial {
  readonly scenario: Scenario;
  readonly point: Point;
  readonly wanted: Played;
}

export interface Outcome {
  readonly trial: Trial;
  readonly crashed: Crashed;
}

/** An operator loses a lease of 2 s when the machine is busy; that often in a row, and it is not the machine. */
const TRIES = 8;

/** A control plane with what the operator needs, for as long as `work` lasts. */
export async function withTheatre<T>(work: (theatre: Theatre) => Promise<T>): Promise<T> {
  const testbed = await startTestbed();
  const api = connect(testbed.kubeconfig);
  try {
    testbed.aws.account().provider.put({ issuer: testbed.issuer, clientIds: AUDIENCES });
    await install(testbed);
    await testbed.kubectl(['apply', '-f', 'config/rollout/rbac.yaml']);
    const authority = await makeAuthority('chaos');
    return await work({
      testbed,
      api,
      kubeconfig: await testbed.kubeconfigFor({ namespace: OPERATOR_NAMESPACE, name: 'irsa-operator' }),
      env: testbed.aws.env({ roleName: OPERATOR_ROLE, identityPolicy: OPERATOR_POLICY }),
      identity: await makeServerIdentity(authority, 'kube-apiserver', ['127.0.0.1']),
      authority: authority.certificate,
    });
  } finally {
    api.close();
    await testbed.stop();
  }
}

/** Plays each scenario undisturbed: every point at which it can be disturbed. */
export async function pointsOf(theatre: Theatre, scenarios: readonly Scenario[], workers: number): Promise<Trial[]> {
  const recorded = await side(scenarios, workers, async (scenario) => {
    const wanted = await again(() => playUndisturbed(theatre, scenario));
    return wanted.effects.flatMap(({ name: effect }, index) => {
      const nth = wanted.effects.slice(0, index + 1).filter(({ name }) => name === effect).length;
      return MOMENTS.map((moment): Trial => ({ scenario, point: { effect, nth, moment }, wanted }));
    });
  });
  return recorded.flat();
}

export async function crashAt(
  theatre: Theatre,
  trials: readonly Trial[],
  workers: number,
  tell: (outcome: Outcome) => void,
): Promise<Outcome[]> {
  return side(trials, workers, async (trial) => {
    const { scenario, point, wanted } = trial;
    const crashed = await again(() => playWithCrash(theatre, scenario, point, wanted)).catch(
      (error: unknown): Crashed => ({ kind: 'failed', why: String(error) }),
    );
    const outcome = { trial, crashed };
    tell(outcome);
    return outcome;
  });
}

export function inWords({ scenario, point: { effect, nth, moment } }: Trial): string {
  return `${scenario.name}: ${effect}${nth === 1 ? '' : ` (${nth})`}, ${moment}`;
}

async function again<T>(run: () => Promise<T>): Promise<T> {
  for (let left = TRIES; ; left -= 1) {
    try {
      return await run();
    } catch (error) {
      if (!(error instanceof Interrupted) || left === 1) throw error;
    }
  }
}

/** So many side by side, each as soon as one ends; answers in the order of the questions. */
async function side<T, R>(items: readonly T[], workers: number, work: (item: T) => Promise<R>): Promise<R[]> {
  const results: R[] = [];
  const left = items.entries();
  const worker = async () => {
    for (const [index, item] of left) results[index] = await work(item);
  };
  await Promise.all(Array.from({ length: workers }, worker));
  return results;
}
