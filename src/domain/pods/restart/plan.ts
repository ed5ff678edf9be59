import { createHash } from 'node:crypto';
import type { BindingSpec } from '../../../api/binding.ts';
import type { Pod } from '../../../api/cluster.ts';
import { conditionOf } from '../../../api/condition.ts';
import type { DesiredInjection } from '../injection.ts';
import type { PodsInput } from '../input.ts';
import { type PodState, reasonToLeaveAlone } from '../pod-state.ts';
import { workloadOf } from '../workload-of.ts';
import { type Candidate, earliest, type RestartInput, type RestartPlan, type RestartStrategy } from './attempt.ts';
import { planEvictions } from './evictions.ts';
import { heldByOwner } from './owner.ts';
import { planRollouts } from './rollouts.ts';

/** By `spec.restart.strategy`; Never has none. */
const STRATEGIES: Readonly<Record<Exclude<BindingSpec['restart']['strategy'], 'Never'>, RestartStrategy>> = {
  Evict: planEvictions,
  Rollout: planRollouts,
};

/** A pod, and what it was found to carry. */
export interface Judged {
  readonly pod: Pod;
  readonly state: PodState;
}

/** First the pods that lack something. Only where no pod of the binding does, those that a trust repair may have left unready. */
export function planRestarts(
  seen: PodsInput,
  spec: BindingSpec,
  strategy: keyof typeof STRATEGIES,
  judged: readonly Judged[],
): RestartPlan {
  const { now, blocked, workloads } = seen;
  const plan = (part: Pick<RestartInput, 'cause' | 'desired' | 'candidates' | 'records'>) =>
    STRATEGIES[strategy]({ now, blocked, workloads, maxUnavailable: spec.restart.maxUnavailable, ...part });
  const lacking = judged.map(({ pod, state }): Candidate => {
    const wrong = state.kind === 'stale' ? state.finding : undefined;
    return { pod, replace: state.kind === 'stale' && state.leftAlone === undefined, stillWrong: wrong };
  });
  const records = seen.binding.status.restarts ?? [];
  const first = plan({ cause: 'Stale', candidates: lacking, desired: desiredState(spec), records });
  const repairedAt = trustRepairedAt(seen);
  if (repairedAt === undefined || spec.restart.afterTrustRepair === 'Never' || lacking.some(({ stillWrong }) => stillWrong !== undefined))
    return first;
  const all = spec.restart.afterTrustRepair === 'Always';
  const isLeftAlone = (pod: Pod) => (reasonToLeaveAlone(pod) ?? heldByOwner(pod, workloadOf(pod, workloads))) !== undefined;
  const refused = judged.map(
    ({ pod, state }): Candidate => ({
      pod,
      replace: mayBeRefused(state) && !isLeftAlone(pod) && pod.createdAt < repairedAt && (all || !pod.ready),
      stillWrong: undefined,
    }),
  );
  const second = plan({ cause: 'TrustRepair', candidates: refused, desired: `trust-${repairedAt}`, records: first.records });
  return {
    records: second.records,
    steps: [...first.steps, ...second.steps],
    findings: [...first.findings, ...second.findings],
    recheckAt: earliest(first.recheckAt, second.recheckAt),
    progress: [...first.progress, ...second.progress],
  };
}

const mayBeRefused = (state: PodState): boolean => state.kind === 'current' || (state.kind === 'faulty' && state.hasRole);

/** What a record of an attempt compares: another role, audience or life of the token is another attempt. */
function desiredState({ roleArn, audience, tokenExpirationSeconds }: BindingSpec & DesiredInjection): string {
  const state = [roleArn, audience, ...(tokenExpirationSeconds === undefined ? [] : [tokenExpirationSeconds])];
  return createHash('sha256').update(state.join('\n')).digest('hex').slice(0, 16);
}

/** When our write made STS say yes. A policy that already allowed is no repair, and pods that were refused before it need no help after it. */
function trustRepairedAt({ binding }: PodsInput): number | undefined {
  const trusted = conditionOf(binding.status.conditions, 'Trusted');
  return trusted?.status === 'True' && trusted.reason === 'AllowedByOperator' ? Date.parse(trusted.lastTransitionTime) : undefined;
}
