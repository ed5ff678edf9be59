import { GetRoleCommand, IAMClient, UpdateAssumeRolePolicyCommand } from '@aws-sdk/client-iam';
import { Agent } from 'undici';
import { connect } from '../../../src/kube/config.ts';
import { systemClock } from '../../../src/runtime/clock.ts';
import { pathOf } from '../../harness/objects.ts';
import { allowing, policy, statementsIn } from '../../harness/policies.ts';
import { ROLE_ARN } from '../../harness/views.ts';
import { type Member, memberAt, type Size } from './fleet.ts';
import { status } from './floor-status.ts';

/**
 * The process behind `floor.ts`: the least that the contract asks for a fleet, by a client that decides nothing. For each role the finalizers
 * and the intent of its bindings, a read and a write of its trust policy, then the annotations and the outcome. As many requests at once, and
 * over the same libraries, as the operator sends them.
 */
const AT_ONCE = 8;
const FINALIZER = 'irsa-operator.dev/finalizer';

const [size, issuer] = JSON.parse(process.argv[2] ?? '') as [Size, string];
const { url, headers, tls } = await connect({ kubeconfig: process.env['KUBECONFIG'], clock: systemClock }).endpoint();
const agent = new Agent({ allowH2: false, connections: AT_ONCE, connect: tls });
const iam = new IAMClient({ maxAttempts: 1 });

const began = performance.now();
const cpuBefore = process.cpuUsage();
let firstMs = 0;
let next = 0;
await Promise.all(Array.from({ length: AT_ONCE }, lane));
const { user, system } = process.cpuUsage(cpuBefore);
process.send?.({ firstMs, allMs: performance.now() - began, cpuMs: (user + system) / 1_000 });
process.disconnect?.();
await agent.close();

/** One role after the other. */
async function lane(): Promise<void> {
  while (next < size.roles) await serve(next++);
}

async function serve(index: number): Promise<void> {
  const count = Math.ceil((size.bindings - index) / size.roles);
  const members = Array.from({ length: count }, (_, at) => memberAt(index + at * size.roles, size));
  const { role } = memberAt(index, size);
  for (const member of members) {
    const { namespace, name } = member;
    const fields = {
      apiVersion: 'irsa-operator.dev/v1alpha1',
      kind: 'IrsaBinding',
      metadata: { name, namespace, finalizers: [FINALIZER] },
    };
    await apply(pathOf('irsabindings', member), fields);
    await report(member, false);
  }
  const { Role } = await iam.send(new GetRoleCommand({ RoleName: role }));
  const statements = statementsIn(decodeURIComponent(Role?.AssumeRolePolicyDocument ?? ''));
  const subjects = members.map(({ namespace, name }) => `system:serviceaccount:${namespace}:${name}`);
  const document = JSON.stringify(policy(...statements, allowing(issuer, subjects)));
  await iam.send(new UpdateAssumeRolePolicyCommand({ RoleName: role, PolicyDocument: document }));
  for (const member of members) {
    const { namespace, name, roleArn } = member;
    const metadata = { name, namespace, annotations: { [ROLE_ARN]: roleArn } };
    await apply(pathOf('serviceaccounts', member), { apiVersion: 'v1', kind: 'ServiceAccount', metadata });
    await report(member, true);
    if (firstMs === 0) firstMs = performance.now() - began;
  }
}

function apply(path: string, fields: object): Promise<void> {
  return patch(`${path}?fieldManager=irsa-operator&force=true`, 'apply-patch+yaml', fields);
}

function report(member: Member, ready: boolean): Promise<void> {
  const path = `${pathOf('irsabindings', member)}/status?fieldManager=irsa-operator-status`;
  return patch(path, 'merge-patch+json', { status: status(member, ready) });
}

async function patch(path: string, type: string, body: object): Promise<void> {
  const answer = await agent.request({
    origin: url,
    path,
    method: 'PATCH',
    headers: { ...headers, 'content-type': `application/${type}` },
    body: JSON.stringify(body),
  });
  const text = await answer.body.text();
  if (answer.statusCode !== 200) throw new Error(`PATCH ${path}: ${answer.statusCode} ${text}`);
}
