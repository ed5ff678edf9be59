import type { BindingSpec } from '../api/binding.ts';
import type { ServiceAccount } from '../api/cluster.ts';
import { conditionOf } from '../api/condition.ts';
import { type Finding, finding } from '../api/finding.ts';
import { isProblem } from '../api/problem.ts';
import { quoteAll } from '../trust/quote.ts';
import { desiredAnnotations, otherWriters, wrongAnnotations } from './annotations.ts';
import { enforces } from './claim.ts';
import { type Advice, adviceFor, undone } from './fights.ts';
import type { Observed } from './observed.ts';

/** The observation with one more undo, where our annotations had been seen to stand, and somebody else's values show now. */
export function witness(seen: Observed): Observed {
  const { binding, serviceAccount, fight, now } = seen;
  const { spec, status, metadata } = binding;
  if (serviceAccount === undefined || isProblem(spec) || !enforces(binding)) return seen;
  const stood = conditionOf(status.conditions, 'Annotated');
  // Of an older generation it stood for other values: then it is the user who changed his mind.
  if (stood?.reason !== 'Annotated' || stood.observedGeneration !== metadata.generation) return seen;
  if (wrongAnnotations(serviceAccount.annotations, spec).length === 0) return seen;
  return { ...seen, fight: undone(fight, now, otherWriters(serviceAccount, desiredAnnotations(spec, serviceAccount))) };
}

/** Without a number or a time, so that the same fight is one Event. */
export function contended({ fight }: Observed, spec: BindingSpec, account: ServiceAccount | undefined): Finding {
  const by = fight.by.length === 0 ? 'somebody who removes them (the API server keeps no name for that)' : quoteAll(fight.by);
  const [wrong] = account === undefined ? [] : wrongAnnotations(account.annotations, spec);
  const advice = adviceFor(fight.by, ADVICE);
  const parts = [
    `the annotations that irsa-operator writes on ServiceAccount "${spec.serviceAccountName}" are undone again and again, by ${by}`,
    ...(wrong === undefined ? [] : [wrong.message]),
    'where it goes on they are written at most once in 5 minutes',
    advice.length === 0 ? 'ask whoever runs it to leave these keys alone' : advice.join('; '),
  ];
  return finding('Contended', parts.join('; '));
}

/** By the field managers that these tools sign with. */
const ADVICE: Advice = {
  helm: "Helm: take the key out of the chart's values (serviceAccount.annotations), or set this role there",
  argocd: 'Argo CD: ignoreDifferences with managedFieldsManagers ["irsa-operator"], and the sync option RespectIgnoreDifferences=true',
  'kustomize-controller': 'Flux: take the key out of the manifest, or set this role there',
  kubectl: 'kubectl: take the key out of the manifest that is applied, or set this role there',
};
