import { setTimeout as sleep } from 'node:timers/promises';
import { ROLE_ARN } from '../../harness/scene.ts';
import { documentOf, FIRST, FOREIGN_KINDS, foreignStatement, isOurs, type Statement, statementsOf } from './documents.ts';
import { STALE_MS } from './history.ts';
import {
  AUDIENCES,
  arnOf,
  attempt,
  type BindingObject,
  CONSENT,
  GRANTS,
  NAMESPACES,
  PAUSED,
  pathOf,
  paths,
  ROLES,
  type RoleName,
  SERVICE_ACCOUNTS,
  subjectOf,
  TEAM,
  trustKey,
  type World,
} from './world.ts';

type Step = (world: World) => Promise<unknown>;

/** What happens in the walk, and out of how many steps it happens so often. */
export const STEPS: readonly (readonly [name: string, weight: number, step: Step])[] = [
  ['bind', 20, bind],
  ['change a binding', 14, changeBinding],
  ['delete a binding', 7, deleteBinding],
  ['ask for a fresh look', 2, requestLook],
  ['make a ServiceAccount', 7, makeAccount],
  ['delete a ServiceAccount', 2, deleteAccount],
  ['annotate as somebody else', 3, annotate],
  ['grant', 8, grant],
  ['take a grant away', 2, ungrant],
  ['label a namespace', 3, label],
  ['change a foreign statement', 8, changeForeign],
  ['drop our statement', 2, dropOurs],
  ['make a role anew', 1, remakeRole],
  ['delete a role', 1, deleteRole],
  ['tag a role', 3, tagRole],
  ['deploy', 5, deploy],
  ['delete a pod', 4, deletePod],
  ['a fault of AWS', 1, fault],
  ['another behaviour of AWS', 1, behave],
  ['pause', 3, pause],
];

const merge = (body: object) => ({ patch: 'merge' as const, body });

function anyPlace({ chance }: World) {
  const [namespace, account] = [chance.of(NAMESPACES), chance.of(SERVICE_ACCOUNTS)];
  return { namespace, account, name: `${account}-${chance.of(['1', '2'])}` };
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
  const { namespace, account, name } = anyPlace(world);
  const spec = Object.fromEntries(Object.entries(specOf(world)).filter(([, value]) => value !== null));
  const body = {
    apiVersion: 'irsa-operator.dev/v1alpha1',
    kind: 'IrsaBinding',
    metadata: { name },
    spec: { serviceAccountName: account, ...spec },
  };
  await attempt(world.api.call('POST', paths.bindings(namespace), { body }));
}

async function changeBinding(world: World): Promise<void> {
  const { namespace, name } = anyPlace(world);
  const all = Object.entries(specOf(world));
  const spec = Object.fromEntries([world.chance.of(all), world.chance.of(all)]);
  await attempt(world.api.call('PATCH', paths.binding(namespace, name), merge({ spec })));
}

/** Remembers what stays by the binding's will, and forgets what goes by it. */
async function deleteBinding(world: World): Promise<void> {
  const { namespace, name } = anyPlace(world);
  const path = paths.binding(namespace, name);
  const binding = await attempt(world.api.call<BindingObject>('GET', path));
  if (binding === undefined || binding.metadata.deletionTimestamp !== undefined) return;
  const { spec, status, metadata } = binding;
  const body = { preconditions: { uid: metadata.uid, resourceVersion: metadata.resourceVersion } };
  const isGoing = await attempt(world.api.call('DELETE', path, { body }));
  if (isGoing === undefined) return;
  const subject = subjectOf(namespace, spec.serviceAccountName);
  const retains = spec.deletionPolicy === 'Retain' || spec.suspend || spec.mode === 'Observe';
  for (const { arn, audience } of status?.roles ?? []) {
    const key = trustKey(arn, subject, audience);
    if (retains) world.retained.add(key);
    else world.retained.delete(key);
  }
  if (retains) world.annotated.add(`${namespace}/${spec.serviceAccountName}`);
}

async function requestLook(world: World): Promise<void> {
  const { namespace, name } = anyPlace(world);
  const annotations = { 'irsa-operator.dev/reconcile-requested-at': String(world.chance.below(1_000_000)) };
  await attempt(world.api.call('PATCH', paths.binding(namespace, name), merge({ metadata: { annotations } })));
}

async function makeAccount(world: World): Promise<void> {
  const { namespace, account } = anyPlace(world);
  const annotations = world.chance.percent(30) ? { [ROLE_ARN]: arnOf(world.chance.of(ROLES)) } : {};
  await attempt(world.api.call('POST', paths.accounts(namespace), { body: { metadata: { name: account, annotations } } }));
}

async function deleteAccount(world: World): Promise<void> {
  const { namespace, account } = anyPlace(world);
  await attempt(world.api.call('DELETE', `${paths.accounts(namespace)}/${account}`));
}

/** A third undo would be a fight, which the operator rightly gives up for minutes; fights have tests of their own. */
const MOST_UNDOES = 2;

async function annotate(world: World): Promise<void> {
  const { namespace, account } = anyPlace(world);
  const path = `${paths.accounts(namespace)}/${account}`;
  const found = await attempt(world.api.call<{ metadata: { uid: string } }>('GET', path));
  if (found === undefined) return;
  const { uid } = found.metadata;
  const times = world.undone.get(uid) ?? 0;
  if (times >= MOST_UNDOES) return;
  world.undone.set(uid, times + 1);
  const value = world.chance.percent(50) ? null : arnOf(world.chance.of(ROLES));
  await attempt(world.api.call('PATCH', path, merge({ metadata: { uid, annotations: { [ROLE_ARN]: value } } })));
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
  const body = { apiVersion: 'irsa-operator.dev/v1alpha1', kind: 'IrsaGrant', metadata: { name }, spec };
  const made = await attempt(api.call('POST', paths.grants, { body }));
  if (made === undefined) await attempt(api.call('PATCH', `${paths.grants}/${name}`, merge({ spec })));
}

async function ungrant(world: World): Promise<void> {
  await attempt(world.api.call('DELETE', `${paths.grants}/${world.chance.of(GRANTS)}`));
}

async function label(world: World): Promise<void> {
  const labels = { team: world.chance.percent(75) ? TEAM.team : 'other' };
  await world.api.call('PATCH', paths.namespace(world.chance.of(NAMESPACES)), merge({ metadata: { labels } }));
}

function setTrustPolicy({ testbed, histories }: World, role: RoleName, statements: readonly Statement[]): void {
  const text = JSON.stringify(documentOf(statements));
  testbed.aws.account().role.setTrustPolicy(role, text);
  histories.owned(role, text);
}

/** The owner puts in a statement, or takes one of his own out. */
async function changeForeign(world: World): Promise<void> {
  const { chance, testbed } = world;
  const role = chance.of(ROLES);
  const found = testbed.aws.account().role.get(role);
  if (found === undefined) return;
  const statements = statementsOf(found.trustPolicy);
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
  const { namespace, account } = anyPlace(world);
  const added = foreignStatement(chance.of(FOREIGN_KINDS), subjectOf(namespace, account), AUDIENCES[0], testbed.issuer);
  setTrustPolicy(world, role, [...statements.filter(({ Sid }) => Sid !== added.Sid), added]);
}

/** A pipeline that knows nothing of the operator; twice at most for each role, for the same reason as with annotations. */
async function dropOurs(world: World): Promise<void> {
  const role = world.chance.of(ROLES);
  const found = world.testbed.aws.account().role.get(role);
  if (found === undefined) return;
  const times = world.undone.get(found.id) ?? 0;
  const statements = statementsOf(found.trustPolicy);
  const kept = statements.filter((one) => !isOurs(one, world.testbed.issuer));
  if (times >= MOST_UNDOES || kept.length === statements.length) return;
  world.undone.set(found.id, times + 1);
  setTrustPolicy(world, role, kept);
}

export function makeRole({ testbed, histories, chance }: World, role: RoleName): void {
  const tags = chance.percent(60) ? CONSENT : {};
  testbed.aws.account().role.put({ name: role, path: pathOf(role), trustPolicy: FIRST, tags });
  histories.owned(role, JSON.stringify(FIRST));
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
  const { namespace, account } = anyPlace(world);
  const { chance, api } = world;
  const replicas = chance.below(3);
  const path = paths.deployments(namespace);
  const spec = { serviceAccountName: account, containers: [{ name: 'app', image: 'app' }] };
  const labels = { app: account };
  const body = {
    metadata: { name: account },
    spec: { replicas, selector: { matchLabels: labels }, template: { metadata: { labels }, spec } },
  };
  const made = await attempt(api.call('POST', path, { body }));
  if (made === undefined) await attempt(api.call('PATCH', `${path}/${account}`, merge({ spec: { replicas } })));
}

async function deletePod(world: World): Promise<void> {
  const namespace = world.chance.of(NAMESPACES);
  const { items } = await world.api.call<{ items: { metadata: { name: string } }[] }>('GET', paths.pods(namespace));
  if (items.length === 0) return;
  await attempt(world.api.call('DELETE', `${paths.pods(namespace)}/${world.chance.of(items).metadata.name}`));
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
