import { ANNOTATIONS, FIELD_MANAGER, FINALIZER, GROUP, type Policy, REVOCATIONS, STS_AUDIENCE } from '../api/names.ts';
import { annotationKeys, EKS_WEBHOOK, type Webhook } from '../api/webhook.ts';
import type { ConfinementRequests, Target } from '../controllers/confinement/ports.ts';
import type { Answer } from '../domain/confinement/confinement.ts';
import { faultOf, statusOf } from './faults.ts';
import { object, text } from './objects.ts';
import { apiVersionOf, collectionPath, objectPath, type ResourceType } from './paths.ts';
import { CONFIG_MAP, DAEMON_SET, DEPLOYMENT, IRSA_BINDING, SERVICE_ACCOUNT, STATEFUL_SET } from './resource-types.ts';
import type { KubeRequest, Requests } from './transport.ts';

/** Asks the API server about ourselves, with rights that every user has (system:basic-user), and by dry runs with the rights that ship. */
export function confinementRequests(requests: Requests, webhook: Webhook = EKS_WEBHOOK): ConfinementRequests {
  const review = async (path: string, body: object, signal: AbortSignal) =>
    object(object(await requests.request({ method: 'POST', path, body }, signal))['status']);
  return {
    async self(signal) {
      const body = { apiVersion: 'authentication.k8s.io/v1', kind: 'SelfSubjectReview' };
      const { userInfo } = await review('/apis/authentication.k8s.io/v1/selfsubjectreviews', body, signal);
      const [, namespace, name] = /^system:serviceaccount:([^:]+):([^:]+)$/.exec(text(object(userInfo)['username']) ?? '') ?? [];
      return namespace === undefined || name === undefined ? undefined : { namespace, name };
    },
    async hasRight(policy, target, signal) {
      const resourceAttributes = { ...rightOf(policy), namespace: target.namespace };
      const body = { apiVersion: 'authorization.k8s.io/v1', kind: 'SelfSubjectAccessReview', spec: { resourceAttributes } };
      return (await review('/apis/authorization.k8s.io/v1/selfsubjectaccessreviews', body, signal))['allowed'] === true;
    },
    async try(policy, target, signal) {
      const { forbidden, needed } = trialOf(policy, target, webhook);
      return { forbidden: await dryRun(requests, forbidden, signal), needed: await dryRun(requests, needed, signal) };
    },
  };
}

async function dryRun(requests: Requests, request: KubeRequest, signal: AbortSignal): Promise<Answer> {
  const answer = await requests.exchange({ ...request, query: { ...request.query, dryRun: 'All', fieldManager: FIELD_MANAGER } }, signal);
  const { reason, details } = statusOf(answer.body);
  // Of what is created, storage says that it is there, after every policy.
  if (answer.code < 300 || reason === 'AlreadyExists') return { kind: 'accepted' };
  const fault = faultOf(`the dry run of ${request.method} ${request.path}`, answer);
  const policies = (details?.causes ?? []).flatMap(({ message = '' }) => /^ValidatingAdmissionPolicy '([^']+)'/.exec(message)?.[1] ?? []);
  if (answer.code !== 403 && policies.length === 0) throw fault;
  return { kind: 'refused', policies, message: fault.message };
}

function rightOf(policy: Policy): object {
  switch (policy) {
    case 'irsa-operator-service-accounts':
      return { verb: 'patch', group: '', resource: 'serviceaccounts' };
    case 'irsa-operator-bindings':
      return { verb: 'patch', group: GROUP, resource: 'irsabindings' };
    case 'irsa-operator-status':
      return { verb: 'patch', group: GROUP, resource: 'irsabindings', subresource: 'status' };
    case 'irsa-operator-workloads':
      return { verb: 'patch', group: 'apps', resource: 'deployments' };
    case 'irsa-operator-revocations':
      return { verb: 'create', group: '', resource: 'configmaps' };
    case 'irsa-operator-verification':
      return { verb: 'create', group: '', resource: 'serviceaccounts', subresource: 'token' };
  }
}

const LABELLED = { metadata: { labels: { [`${GROUP}/confinement`]: 'dry-run' } } };
/** Of no API server, but of a form that the policy takes for one. */
const FOREIGN_AUDIENCE = `https://${GROUP}`;
/** The shortest that the API server grants. It answers a dry run with a token too, of the operator itself, which is dropped unread. */
const TOKEN_SECONDS = 600;

/** What the policy forbids, and the like of what the operator does. */
function trialOf(policy: Policy, target: Target, webhook: Webhook): { readonly forbidden: KubeRequest; readonly needed: KubeRequest } {
  switch (policy) {
    case 'irsa-operator-service-accounts':
      return {
        forbidden: merge(SERVICE_ACCOUNT, target, LABELLED),
        needed: merge(SERVICE_ACCOUNT, target, { metadata: { annotations: { [annotationKeys(webhook).tokenExpiration]: '86400' } } }),
      };
    case 'irsa-operator-bindings':
      return { forbidden: merge(IRSA_BINDING, target, LABELLED), needed: withFinalizer(target) };
    case 'irsa-operator-status':
      return {
        forbidden: merge(IRSA_BINDING, target, { status: { observedGeneration: Number.MAX_SAFE_INTEGER } }, 'status'),
        needed: merge(IRSA_BINDING, target, { status: {} }, 'status'),
      };
    case 'irsa-operator-workloads': {
      const type = { Deployment: DEPLOYMENT, StatefulSet: STATEFUL_SET, DaemonSet: DAEMON_SET }[target.kind ?? 'Deployment'];
      const template = { metadata: { annotations: { [ANNOTATIONS.restartedAt]: 'dry-run' } } };
      return { forbidden: merge(type, target, LABELLED), needed: merge(type, target, { spec: { template } }) };
    }
    case 'irsa-operator-revocations':
      return { forbidden: configMap(target.namespace, `${REVOCATIONS}-dry-run`), needed: configMap(target.namespace, REVOCATIONS) };
    case 'irsa-operator-verification':
      return { forbidden: token(target, FOREIGN_AUDIENCE), needed: token(target, STS_AUDIENCE) };
  }
}

function merge(type: ResourceType, target: Target, body: object, subresource?: string): KubeRequest {
  return { method: 'PATCH', path: objectPath(type, target, subresource), contentType: 'application/merge-patch+json', body };
}

/** By apply, which leaves the finalizers of others as they are. With the uid it never creates a binding. */
function withFinalizer({ namespace, name, uid }: Target): KubeRequest {
  return {
    method: 'PATCH',
    path: objectPath(IRSA_BINDING, { namespace, name }),
    query: { force: 'true' },
    contentType: 'application/apply-patch+yaml', // JSON is YAML
    body: {
      apiVersion: apiVersionOf(IRSA_BINDING),
      kind: IRSA_BINDING.kind,
      metadata: { namespace, name, uid, finalizers: [FINALIZER] },
    },
  };
}

function configMap(namespace: string, name: string): KubeRequest {
  const body = { apiVersion: 'v1', kind: CONFIG_MAP.kind, metadata: { namespace, name } };
  return { method: 'POST', path: collectionPath(CONFIG_MAP, namespace), body };
}

function token(of: Target, audience: string): KubeRequest {
  const spec = { audiences: [audience], expirationSeconds: TOKEN_SECONDS };
  const body = { apiVersion: 'authentication.k8s.io/v1', kind: 'TokenRequest', spec };
  return { method: 'POST', path: objectPath(SERVICE_ACCOUNT, of, 'token'), body };
}
