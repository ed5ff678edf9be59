import { setTimeout as sleep } from 'node:timers/promises';
import { grant as grantOf, OPERATOR_NAMESPACE, pathOf } from '../../harness/objects.ts';
import { FOREIGN, isOurs, policy, statementsIn } from '../../harness/policies.ts';
import { type Binding, type Grant, type Pod, ROLE_ARN, type ServiceAccount, type Statement } from '../../harness/views.ts';
import { FOREIGN_KINDS, foreignStatement } from './documents.ts';
import { STALE_MS } from './history.ts';
import {
  AUDIENCES,
  arnOf,
  attempt,
  CONSENT,
  GRANTS,
  NAMESPACES,
  PAUSED,
  ROLES,
  type RoleName,
  rolePathOf,
  SERVICE_ACCOUNTS,
  TEAM,
  trustKey,
  type World,
} from './world.ts';

const FORCE_DELETE = 'irsa-operator.dev/force-delete';

type Step = (world: World) => Promise<unknown>;

/** What happens in the walk, and out of how many steps it happens so often. */
export const STEPS: readonly (readonly [name: string, weight: number, step: Step])[] = [
  ['bind', 20, bind],
  ['change a binding', 14, changeBinding],
  ['delete a binding', 7, deleteBinding],
  ['tamper with a binding', 4, tamper],
  ['ask for a fresh look', 2, requestLook],
  ['make a ServiceAccount', 7, makeAccount],
  ['delete a ServiceAccount', 2, deleteAccount],
  ['annotate as somebody else', 3, annotate],
  ['grant', 8, grant],
  ['take a grant away', 2, ungrant],
  ['make a grant anew', 2, renameGrant],
  ['confirm the revocations', 1, confirmRevocations],
  ['label a namespace', 3, label],
  ['change a foreign statement', 8, changeForeign],
  ['drop the statement of irsa-operator', 2, dropOurs],
  ['make a role anew', 1, remakeRole],
  ['delete a role', 1, deleteRole],
  ['tag a role', 3, tagRole],
  ['deploy', 5, deploy],
  ['delete a pod', 4, deletePod],
  ['a fault of AWS', 1, fault],
  ['another behaviour of AWS', 1, behave],
  ['pause', 3, pause],
];

function anyPlace({ chance, scenes }: World) {
  const [scene, account] = [chance.of(scenes), chance.of(SERVICE_ACCOUNTS)];
  return { scene, account, name: `${account}-${chance.of(['1', '2'])}` };
}

/** Mostly the usual values, so that most bindings get somewhere. */
function specOf(world: World) {
  const { chance } = world;
  return {
    roleArn: arnOf(chance.of(ROLES)),
    audience: chance.percent(85) ? AUDIENCES[0] : chance.of(AUDIENCES),
    mode: chance.percent(10) ? 'Observe' : 'Enforce',
    trustPolicy: chance.percent(8) ? 'External' : 'Managed',
    deletionPolicy: chance.percent(8) ? 'Retain' : 'Revoke',
    suspend: chance.percent(6),
    restart: { strategy: chance.of(['Evict', 'Evict', 'Never']) },
    tokenExpirationSeconds: chance.percent(20) ? chance.of([600, 3_600, 86_400]) : null,
    stsRegionalEndpoints: chance.percent(20) ? chance.percent(50) : null,
  };
}

async function bind(world: World): Promise<void> {
  const { scene, account, name } = anyPlace(world);
  const spec = Object.fromEntries(Object.entries(specOf(world)).filter(([, value]) => value !== null));
  await attempt(scene.bind({ serviceAccountName: account, ...spec }, name));
}

async function changeBinding(world: World): Promise<void> {
  const { scene, name } = anyPlace(world);
  const all = Object.entries(specOf(world));
  await attempt(scene.change(Object.fromEntries([world.chance.of(all), world.chance.of(all)]), name));
}

/** Remembers what stays by the binding's will, and forgets what goes by it. */
async function deleteBinding(world: World): Promise<void> {
  const { scene, name } = anyPlace(world);
  const binding = await scene.find<Binding>('irsabindings', name);
  if (binding === undefined || binding.metadata.deletionTimestamp !== undefined) return;
  const { spec, status, metadata } = binding;
  const body = { preconditions: { uid: metadata.uid, resourceVersion: metadata.resourceVersion } };
  const isGoing = await attempt(world.api.call('DELETE', scene.path('irsabindings', name), { body }));
  if (isGoing === undefined) return;
  const subject = scene.subjectOf(spec.serviceAccountName);
  const retains =
    spec.deletionPolicy === 'Retain' ||
    spec.suspend ||
    spec.mode === 'Observe' ||
    metadata.finalizers === undefined ||
    metadata.annotations?.[FORCE_DELETE] !== undefined;
  for (const { arn, audience } of status?.roles ?? []) {
    const key = trustKey(arn, subject, audience);
    if (retains) world.retained.add(key);
    else world.retained.delete(key);
  }
  if (retains) world.annotated.add(`${scene.namespace}/${spec.serviceAccountName}`);
}

/** What a tenant may write besides the spec, in the hope that its trust outlives its grant. */
async function tamper(world: World): Promise<void> {
  const { scene, name } = anyPlace(world);
  const binding = await scene.find<Binding>('irsabindings', name);
  if (binding === undefined) return;
  const metadata = world.chance.percent(60) ? { finalizers: null } : { annotations: { [FORCE_DELETE]: 'true' } };
  await attempt(scene.patch('irsabindings', name, { metadata }));
  // Where it is being deleted it is let go by this.
  const subject = scene.subjectOf(binding.spec.serviceAccountName);
  for (const { arn, audience } of binding.status?.roles ?? []) world.retained.add(trustKey(arn, subject, audience));
  world.annotated.add(`${scene.namespace}/${binding.spec.serviceAccountName}`);
}

async function requestLook(world: World): Promise<void> {
  const { scene, name } = anyPlace(world);
  const annotations = { 'irsa-operator.dev/reconcile-requested-at': String(world.chance.below(1_000_000)) };
  await attempt(scene.patch('irsabindings', name, { metadata: { annotations } }));
}

async function makeAccount(world: World): Promise<void> {
  const { scene, account } = anyPlace(world);
  await attempt(scene.serviceAccount(world.chance.percent(30) ? { [ROLE_ARN]: arnOf(world.chance.of(ROLES)) } : {}, account));
}

async function deleteAccount(world: World): Promise<void> {
  const { scene, account } = anyPlace(world);
  await attempt(scene.remove('serviceaccounts', account));
}

/** A third revert would be contention, which the operator rightly gives up for minutes; contention has tests of their own. */
const MOST_UNDOES = 2;

async function annotate(world: World): Promise<void> {
  const { scene, account } = anyPlace(world);
  const found = await scene.find<ServiceAccount>('serviceaccounts', account);
  if (found === undefined) return;
  const { uid } = found.metadata;
  const times = world.reverted.get(uid) ?? 0;
  if (times >= MOST_UNDOES) return;
  world.reverted.set(uid, times + 1);
  const value = world.chance.percent(50) ? null : arnOf(world.chance.of(ROLES));
  await attempt(scene.patch('serviceaccounts', account, { metadata: { uid, annotations: { [ROLE_ARN]: value } } }));
}

async function grant(world: World): Promise<void> {
  const { chance, api } = world;
  const name = chance.of(GRANTS);
  const usual = { roleArns: [arnOf('alpha').replace('alpha', '*'), arnOf('beta').replace('beta', '*')], serviceAccountNames: ['*'] };
  const named = { namespaces: { names: [...NAMESPACES.filter(() => chance.percent(80)), 'elsewhere'] } };
  const labelled = { namespaces: { selector: { matchLabels: TEAM } } };
  const audiences = [...AUDIENCES];
  const specs = {
    'by-name': { ...usual, ...named, audiences },
    'by-label': { ...usual, ...labelled, audiences: audiences.slice(0, 1 + chance.below(3)) },
    'by-path': {
      ...named,
      audiences,
      roleArns: [arnOf('beta').replace('beta', '*')],
      serviceAccountNames: ['a*', chance.of(SERVICE_ACCOUNTS)],
    },
    'by-tag': { ...usual, namespaces: { names: [...NAMESPACES] }, audiences, requiredRoleTags: CONSENT },
  };
  const spec = specs[name];
  const body = { ...grantOf(spec), metadata: { name } };
  const made = await attempt(api.call('POST', pathOf('irsagrants'), { body }));
  if (made === undefined) await attempt(api.call('PATCH', pathOf('irsagrants', { name }), { patch: 'merge', body: { spec } }));
}

export async function ungrant({ api, chance }: World, name: (typeof GRANTS)[number] = chance.of(GRANTS)): Promise<void> {
  await attempt(api.call('DELETE', pathOf('irsagrants', { name })));
}

/** As a rename in Git does: it is deleted and made, and covers what it covered. */
async function renameGrant({ chance, api }: World): Promise<void> {
  const name = chance.of(GRANTS);
  const at = pathOf('irsagrants', { name });
  const found = await attempt(api.call<Grant>('GET', at));
  if (found === undefined) return;
  await attempt(api.call('DELETE', at));
  await attempt(api.call('POST', pathOf('irsagrants'), { body: { ...grantOf(found.spec), metadata: { name } } }));
}

/** The platform team says that what was lost was meant, however much it is. */
export async function confirmRevocations(world: World): Promise<void> {
  world.confirmedAt = Date.now();
  const annotations = { 'irsa-operator.dev/revocation-confirmed': new Date(world.confirmedAt).toISOString() };
  await world.api.call('PATCH', pathOf('namespaces', { name: OPERATOR_NAMESPACE }), {
    patch: 'merge',
    body: { metadata: { annotations } },
  });
}

async function label(world: World): Promise<void> {
  const labels = { team: world.chance.percent(75) ? TEAM.team : 'other' };
  await world.chance.of(world.scenes).label(labels);
}

function setTrustPolicy({ testbed, histories }: World, role: RoleName, statements: readonly Statement[]): void {
  const text = JSON.stringify(policy(...statements));
  testbed.aws.account().role.setTrustPolicy(role, text);
  histories.owned(role, text);
}

/** The owner puts in a statement, or takes one of his own out. */
async function changeForeign(world: World): Promise<void> {
  const { chance, testbed } = world;
  const role = chance.of(ROLES);
  const found = testbed.aws.account().role.get(role);
  if (found === undefined) return;
  const statements = statementsIn(found.trustPolicy);
  const removable = statements.filter((one) => !isOurs(one, testbed.issuer) && one.Sid !== 'Ec2');
  // More out than in where there are many, or every role would deny everybody in the end.
  if (removable.length > chance.below(4)) {
    const gone = chance.of(removable);
    return setTrustPolicy(
      world,
      role,
      statements.filter((one) => one !== gone),
    );
  }
  const { scene, account } = anyPlace(world);
  const added = foreignStatement(chance.of(FOREIGN_KINDS), scene.subjectOf(account), AUDIENCES[0], testbed.issuer);
  setTrustPolicy(world, role, [...statements.filter(({ Sid }) => Sid !== added.Sid), added]);
}

/** A pipeline that knows nothing of the operator; twice at most for each role, for the same reason as with annotations. */
async function dropOurs(world: World): Promise<void> {
  const role = world.chance.of(ROLES);
  const found = world.testbed.aws.account().role.get(role);
  if (found === undefined) return;
  const times = world.reverted.get(found.id) ?? 0;
  const statements = statementsIn(found.trustPolicy);
  const kept = statements.filter((one) => !isOurs(one, world.testbed.issuer));
  if (times >= MOST_UNDOES || kept.length === statements.length) return;
  world.reverted.set(found.id, times + 1);
  setTrustPolicy(world, role, kept);
}

export function makeRole({ testbed, histories, chance }: World, role: RoleName): void {
  const tags = chance.percent(60) ? CONSENT : {};
  testbed.aws.account().role.put({ name: role, path: rolePathOf(role), trustPolicy: FOREIGN, tags });
  histories.owned(role, JSON.stringify(FOREIGN));
}

async function remakeRole(world: World): Promise<void> {
  makeRole(world, world.chance.of(ROLES));
}

/** One of two that exist only now and then: the others are deleted only to be made again. */
async function deleteRole({ testbed, chance }: World): Promise<void> {
  testbed.aws.account().role.delete(chance.of(ROLES.slice(-2)));
}

async function tagRole({ testbed, chance }: World): Promise<void> {
  const role = chance.of(ROLES);
  if (testbed.aws.account().role.get(role) === undefined) return;
  const tags = { ...(chance.percent(60) ? CONSENT : {}), ...(chance.percent(10) ? PAUSED : {}) };
  testbed.aws.account().role.setTags(role, tags);
}

/** One workload for each ServiceAccount; its pods are played by kwok and ready at once. */
async function deploy(world: World): Promise<void> {
  const { scene, account } = anyPlace(world);
  const replicas = world.chance.below(3);
  const part = { name: account, replicas, serviceAccountName: account };
  const made = await attempt(scene.workload('deployments', part).then(() => true));
  if (made === undefined) await attempt(scene.patch('deployments', account, { spec: { replicas } }));
}

async function deletePod({ chance, scenes }: World): Promise<void> {
  const scene = chance.of(scenes);
  const pods = await scene.list<Pod>('pods');
  if (pods.length === 0) return;
  await attempt(scene.remove('pods', chance.of(pods).metadata.name));
}

const FAULTS = [
  'serviceFailure',
  'serviceUnavailable',
  'throttling',
  'accessDenied',
  'deniedByServiceControlPolicy',
  'connectionReset',
  'connectionResetAfterCommit',
  'timeout',
  'timeoutAfterCommit',
] as const;
const CALLS = ['GetRole', 'ListRoles', 'UpdateAssumeRolePolicy', 'GetOpenIDConnectProvider'] as const;

async function fault({ testbed, chance }: World): Promise<void> {
  const kind = chance.of(FAULTS);
  // A call that nobody answers takes ten seconds: with more of them nothing would get anywhere.
  const times = kind.startsWith('timeout') ? 1 : 1 + chance.below(3);
  testbed.aws.fault({ kind, service: 'iam', operation: chance.of(CALLS), times });
}

async function behave({ testbed, chance }: World): Promise<void> {
  testbed.aws.behave({
    ...(chance.percent(50) ? { staleMs: { GetRole: chance.below(STALE_MS), ListRoles: chance.below(STALE_MS) } } : {}),
    ...(chance.percent(50) ? { latencyMs: [0, 1 + chance.below(200)] as const } : {}),
    ...(chance.percent(25) ? { limits: { 'iam:UpdateAssumeRolePolicy': { perSecond: 5, burst: 5 } } } : {}),
  });
}

/** The operator gets somewhere in between, too. */
async function pause({ chance }: World): Promise<void> {
  await sleep(chance.below(500));
}
