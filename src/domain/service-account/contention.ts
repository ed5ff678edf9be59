import type { BindingSpec, IrsaBinding } from '../../api/binding.ts';
import type { ServiceAccount } from '../../api/cluster.ts';
import { type Finding, finding } from '../../api/finding.ts';
import { isProblem } from '../../api/problem.ts';
import { EKS_WEBHOOK, type Webhook } from '../../api/webhook.ts';
import { list, quote } from '../../trust/document/quote.ts';
import { isEnforcing } from '../authorization/authorize.ts';
import { type Advice, adviceFor, type Contention } from '../state/contention.ts';
import { annotationsAreOurs, desiredAnnotations, heldByUs, otherWriters, wrongAnnotations } from './annotations.ts';

/** Who reverted our annotations between two states of a ServiceAccount; undefined where nobody did. */
export function revertedBy(
  previous: ServiceAccount,
  next: ServiceAccount,
  binding: IrsaBinding,
  webhook: Webhook = EKS_WEBHOOK,
): readonly string[] | undefined {
  const { spec } = binding;
  if (previous.uid !== next.uid || isProblem(spec) || !isEnforcing(binding)) return undefined;
  if (!annotationsAreOurs(previous, spec, webhook) || wrongAnnotations(next.annotations, spec, webhook).length === 0) return undefined;
  return otherWriters(next, desiredAnnotations(spec, next, webhook));
}

/** In place of a field manager: of what admission changes the API server keeps no name. */
export const ADMISSION = 'a mutating webhook or policy';

/**
 * Whether admission changed what an apply sent, within that request: another value than was sent, or a key that this apply removed and that is
 * there without a writer. No later event need show it.
 */
export function isRevertedWithin(sent: Readonly<Record<string, string>>, before: ServiceAccount, answered: ServiceAccount): boolean {
  const changed = Object.entries(sent).some(([key, value]) => answered.annotations[key] !== value);
  const kept = Object.keys(before.writers).some(
    (key) => !(key in sent) && heldByUs(before, key) !== undefined && key in answered.annotations && !answered.writers[key]?.length,
  );
  return changed || kept;
}

/** Without a number or a time, so that the same contention is one Event. */
export function annotationContended(
  contention: Contention,
  spec: BindingSpec,
  account: ServiceAccount | undefined,
  webhook: Webhook = EKS_WEBHOOK,
): Finding {
  const by =
    contention.by.length === 0 ? 'another client (the API server keeps no name of who removes a key)' : list(contention.by.map(nameOf));
  const [wrong] = account === undefined ? [] : wrongAnnotations(account.annotations, spec, webhook);
  const advice = adviceFor(contention.by, ADVICE).map((text) => text.replace(EKS_WEBHOOK.annotationPrefix, webhook.annotationPrefix));
  const parts = [
    `${by} keeps overwriting the annotations of irsa-operator on ServiceAccount "${spec.serviceAccountName}"`,
    ...(wrong === undefined ? [] : [wrong.message]),
    'irsa-operator writes them at most once in 5 minutes',
    advice.length === 0 ? 'Configure that client to ignore these keys' : advice.join('. '),
  ];
  return finding('Contended', parts.join('. '));
}

function nameOf(by: string): string {
  return by === ADMISSION ? by : quote(by);
}

const TERRAFORM = 'Terraform: remove the key from the resource, or lifecycle { ignore_changes = [metadata[0].annotations] }';
/** By the field managers that these tools sign with; Flux applies charts as `helm-controller`. */
const ADVICE: Advice = {
  helm: "Helm: remove the key from the chart's values (serviceAccount.annotations), or set this role there",
  argocd: 'Argo CD: ignoreDifferences with managedFieldsManagers ["irsa-operator"], and the sync option RespectIgnoreDifferences=true',
  'kustomize-controller': 'Flux: remove the key from the manifest, or set this role there',
  // Where it applies, and where it patches: then the API server takes the name of its client.
  Terraform: TERRAFORM,
  HashiCorp: TERRAFORM,
  [ADMISSION]:
    'Find it with kubectl get mutatingwebhookconfigurations,mutatingadmissionpolicies. Configure it to leave eks.amazonaws.com/* annotations alone',
  kubectl: 'kubectl: remove the key from the manifest that is applied, or set this role there',
};
