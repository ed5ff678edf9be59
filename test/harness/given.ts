import type { Api } from '@irsa-operator/testbed';
import type { Scene } from './scene.ts';

/** A statement of somebody else that lets no token in. */
export const EC2 = { Sid: 'Ec2', Effect: 'Allow', Principal: { Service: 'ec2.amazonaws.com' }, Action: 'sts:AssumeRole' };
/** The trust policy of a role that no workload of the cluster may have yet. */
export const FOREIGN = { Version: '2012-10-17', Statement: [EC2] };

export const GRANTS = '/apis/irsa-operator.dev/v1alpha1/irsagrants';

export async function makeGrant(api: Api, name: string, spec: object): Promise<void> {
  await api.call('POST', GRANTS, { body: { apiVersion: 'irsa-operator.dev/v1alpha1', kind: 'IrsaGrant', metadata: { name }, spec } });
}

export const bindingPath = ({ namespace }: Pick<Scene, 'namespace'>, name = 'app'): string =>
  `/apis/irsa-operator.dev/v1alpha1/namespaces/${namespace}/irsabindings/${name}`;
