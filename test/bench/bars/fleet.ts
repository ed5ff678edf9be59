import { type Api, connect, startTestbed, type Testbed } from '@irsa-operator/testbed';
import { binding, grant, pathOf } from '../../harness/objects.ts';
import { install } from '../../harness/operator.ts';
import { FOREIGN } from '../../harness/policies.ts';
import { ACCOUNT } from '../../harness/views.ts';

/** How many of each there are before anything starts. */
export interface Size {
  readonly bindings: number;
  readonly roles: number;
  readonly pods: number;
}

/** One binding and what it names; the ServiceAccount is called as the binding is. */
export interface Member {
  readonly namespace: string;
  readonly name: string;
  readonly role: string;
  readonly roleArn: string;
}

/** Teams of a large cluster. */
const NAMESPACES = 20;
/** As many as the testbed's client has connections. */
const AT_ONCE = 16;

/** All of a role are in one namespace, and those of a namespace come far apart. */
export function memberAt(at: number, { roles }: Pick<Size, 'roles'>): Member {
  const role = `role-${at % roles}`;
  return { namespace: `team-${(at % roles) % NAMESPACES}`, name: `app-${at}`, role, roleArn: arnOf(role) };
}

export const arnOf = (role: string): string => `arn:aws:iam::${ACCOUNT}:role/${role}`;

/** A control plane of its own with a fleet in it, as nobody has touched it, for as long as the work takes. */
export async function withFleet<T>(size: Size, work: (testbed: Testbed, api: Api) => Promise<T>): Promise<T> {
  const testbed = await startTestbed();
  try {
    const api = connect(testbed.kubeconfig);
    try {
      testbed.aws.account().provider.put({ issuer: testbed.issuer });
      await install(testbed);
      await makeFleet(testbed, api, size);
      return await work(testbed, api);
    } finally {
      api.close();
    }
  } finally {
    await testbed.stop();
  }
}

/** A grant for each role, as teams have them. */
export async function makeFleet({ aws }: Testbed, api: Api, size: Size): Promise<void> {
  await each(NAMESPACES, (at) => api.call('POST', pathOf('namespaces'), { body: { metadata: { name: `team-${at}` } } }));
  await each(size.roles, async (at) => {
    const { role, namespace } = memberAt(at, size);
    await makeRole(aws, api, role, namespace);
  });
  await each(size.bindings, (at) => makeBinding(api, memberAt(at, size)));
  await each(size.pods, (at) => {
    const of = memberAt(at % size.bindings, size);
    return api.call('POST', pathOf('pods', { namespace: of.namespace }), { body: pod(`${of.name}-${Math.floor(at / size.bindings)}`, of) });
  });
}

/** A role that lets no token in, and the grant of it to a namespace. */
export async function makeRole(aws: Testbed['aws'], api: Api, role: string, namespace: string): Promise<void> {
  aws.account().role.put({ name: role, trustPolicy: FOREIGN });
  const spec = { roleArns: [arnOf(role)], namespaces: { names: [namespace] }, serviceAccountNames: ['*'] };
  await api.call('POST', pathOf('irsagrants'), { body: { ...grant(spec), metadata: { name: role } } });
}

/** And its ServiceAccount. */
export async function makeBinding(api: Api, { namespace, name, roleArn }: Member): Promise<void> {
  const metadata = { name, labels: { 'app.kubernetes.io/name': name, 'app.kubernetes.io/managed-by': 'Helm' } };
  await api.call('POST', pathOf('serviceaccounts', { namespace }), { body: { metadata } });
  await api.call('POST', pathOf('irsabindings', { namespace }), { body: { ...binding({ serviceAccountName: name, roleArn }), metadata } });
}

/** As the webhook would have made it: a pod without it would be restarted, and no binding would be Ready while it is. */
function pod(name: string, { name: serviceAccountName, roleArn }: Member): object {
  const token = '/var/run/secrets/eks.amazonaws.com/serviceaccount';
  const settings = Array.from({ length: 12 }, (_, at) => ({ name: `SETTING_${at}`, value: `value-${at}-of-${name}` }));
  const env = [...settings, { name: 'AWS_ROLE_ARN', value: roleArn }, { name: 'AWS_WEB_IDENTITY_TOKEN_FILE', value: `${token}/token` }];
  const container = { name: 'app', image: 'app', env, volumeMounts: [{ name: 'aws-iam-token', readOnly: true, mountPath: token }] };
  const projected = { sources: [{ serviceAccountToken: { audience: 'sts.amazonaws.com', expirationSeconds: 86_400, path: 'token' } }] };
  return {
    metadata: { name, labels: { app: serviceAccountName } },
    spec: { serviceAccountName, containers: [container], volumes: [{ name: 'aws-iam-token', projected }] },
  };
}

/** So many times, a few at once; the first failure ends it. */
export async function each(count: number, work: (at: number) => Promise<unknown>): Promise<void> {
  let next = 0;
  const lane = async () => {
    while (next < count) await work(next++);
  };
  await Promise.all(Array.from({ length: AT_ONCE }, lane));
}
