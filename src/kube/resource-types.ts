import { GROUP, VERSION } from '../api/names.ts';
import type { ResourceType } from './paths.ts';

const core = (kind: string, plural: string): ResourceType => ({ group: '', version: 'v1', kind, plural });
const apps = (kind: string, plural: string): ResourceType => ({ group: 'apps', version: 'v1', kind, plural });
const batch = (kind: string, plural: string): ResourceType => ({ group: 'batch', version: 'v1', kind, plural });
const ours = (kind: string, plural: string): ResourceType => ({ group: GROUP, version: VERSION, kind, plural });

export const NAMESPACE = core('Namespace', 'namespaces');
export const SERVICE_ACCOUNT = core('ServiceAccount', 'serviceaccounts');
export const CONFIG_MAP = core('ConfigMap', 'configmaps');
export const POD = core('Pod', 'pods');
export const DEPLOYMENT = apps('Deployment', 'deployments');
export const STATEFUL_SET = apps('StatefulSet', 'statefulsets');
export const DAEMON_SET = apps('DaemonSet', 'daemonsets');
export const REPLICA_SET = apps('ReplicaSet', 'replicasets');
export const JOB = batch('Job', 'jobs');
export const CRON_JOB = batch('CronJob', 'cronjobs');
export const IRSA_BINDING = ours('IrsaBinding', 'irsabindings');
export const IRSA_GRANT = ours('IrsaGrant', 'irsagrants');
export const IRSA_ACCOUNT = ours('IrsaAccount', 'irsaaccounts');
export const CUSTOM_RESOURCE_DEFINITION: ResourceType = {
  group: 'apiextensions.k8s.io',
  version: 'v1',
  kind: 'CustomResourceDefinition',
  plural: 'customresourcedefinitions',
};
export const LEASE: ResourceType = { group: 'coordination.k8s.io', version: 'v1', kind: 'Lease', plural: 'leases' };
export const EVENT: ResourceType = { group: 'events.k8s.io', version: 'v1', kind: 'Event', plural: 'events' };
export const MUTATING_WEBHOOK_CONFIGURATION: ResourceType = {
  group: 'admissionregistration.k8s.io',
  version: 'v1',
  kind: 'MutatingWebhookConfiguration',
  plural: 'mutatingwebhookconfigurations',
};
export const VALIDATING_ADMISSION_POLICY_BINDING: ResourceType = {
  group: 'admissionregistration.k8s.io',
  version: 'v1',
  kind: 'ValidatingAdmissionPolicyBinding',
  plural: 'validatingadmissionpolicybindings',
};
