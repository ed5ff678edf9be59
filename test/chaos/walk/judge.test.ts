import { expect, test } from 'vitest';
import { FOREIGN, hostOf, policy, providerOf } from '../../harness/policies.ts';
import { type Binding, ROLE_ARN, type Statement } from '../../harness/views.ts';
import { foreignStatement } from './documents.ts';
import { wrongIn } from './judge.ts';
import type { Seen } from './look.ts';
import { arnOf, subjectOf, TEAM, trustKey } from './world.ts';

/** The judge of the walk has to see what is wrong: a world in order, and one thing out of order in each case. */
const ISSUER = 'https://oidc.eks.us-east-1.amazonaws.com/id/TEST';
const HOST = hostOf(ISSUER);
const ALPHA = arnOf('alpha');
const APP = subjectOf('walk-a', 'app');

function ours(subjects: readonly string[]): Statement {
  const keys = { [`${HOST}:aud`]: 'sts.amazonaws.com', [`${HOST}:sub`]: subjects };
  return {
    Sid: 'Irsaabcdefghijkl',
    Effect: 'Allow',
    Principal: { Federated: providerOf(ISSUER) },
    Action: 'sts:AssumeRoleWithWebIdentity',
    Condition: { StringEquals: keys },
  };
}
const role = (subjects: readonly string[], tags = {}) => ({
  tags,
  text: JSON.stringify(subjects.length === 0 ? FOREIGN : policy(...FOREIGN.Statement, ours(subjects))),
});

const REASONS = {
  Ready: 'Ready',
  Authorized: 'Granted',
  ProviderReady: 'Registered',
  Trusted: 'AllowedByOperator',
  Annotated: 'Annotated',
  PodsCurrent: 'Current',
};
const AT = '2026-01-01T00:00:00Z';
const condition = (type: string, reason: string) => ({
  type,
  status: 'True',
  reason,
  message: '',
  observedGeneration: 1,
  lastTransitionTime: AT,
});
const conditions = Object.entries(REASONS).map(([type, reason]) => condition(type, reason));
const metadata = { name: 'app-1', namespace: 'walk-a', uid: 'u', resourceVersion: '1', generation: 1, creationTimestamp: AT };
const binding: Binding = {
  metadata,
  spec: {
    serviceAccountName: 'app',
    roleArn: ALPHA,
    mode: 'Enforce',
    audience: 'sts.amazonaws.com',
    trustPolicy: 'Managed',
    deletionPolicy: 'Revoke',
    suspend: false,
    restart: { strategy: 'Evict' },
  },
  status: {
    observedGeneration: 1,
    conditions,
    roles: [{ arn: ALPHA, roleId: 'AROA', audience: 'sts.amazonaws.com', sid: 'Irsaabcdefghijkl' }],
    pods: { total: 0, current: 0, stale: 0, exempt: 0, summary: '0/0' },
  },
};
const account = (annotations: Record<string, string>) => ({
  metadata: {
    ...metadata,
    name: 'app',
    annotations,
    managedFields: [
      { manager: 'irsa-operator', operation: 'Apply', fieldsV1: { 'f:metadata': { 'f:annotations': { [`f:${ROLE_ARN}`]: {} } } } },
    ],
  },
});
const grant = {
  spec: {
    roleArns: [ALPHA],
    namespaces: { selector: { matchLabels: TEAM } },
    serviceAccountNames: ['*'],
    audiences: ['sts.amazonaws.com'],
    requiredRoleTags: {},
  },
};
const inOrder: Seen = {
  bindings: [binding],
  grants: [grant],
  labels: new Map([['walk-a', TEAM]]),
  accounts: new Map([['walk-a/app', account({ [ROLE_ARN]: ALPHA })]]),
  pods: new Map(),
  roles: new Map([[ALPHA, role([APP])]]),
  issuer: ISSUER,
};
const nothingLeft = { retained: new Set<string>(), annotated: new Set<string>() };
const withMetadata = (more: object): Partial<Seen> => ({ bindings: [{ ...binding, metadata: { ...binding.metadata, ...more } }] });
const withStatus = (more: object): Partial<Seen> => ({ bindings: [{ ...binding, status: { ...binding.status, ...more } }] });
const pod = (arn: string) => ({
  spec: { serviceAccountName: 'app', containers: [{ env: [{ name: 'AWS_ROLE_ARN', value: arn }] }] },
});

test('finds nothing wrong in a world in order', () => expect(wrongIn(inOrder, nothingLeft)).toEqual([]));

const LIMITED = { tags: {}, text: JSON.stringify(policy(foreignStatement('restricts', APP, 'sts.amazonaws.com', ISSUER))) };
const undecidable = (code: string): Partial<Seen> => ({
  ...withStatus({
    conditions: conditions.map((one) => (one.type === 'Trusted' ? { ...one, status: 'Unknown', reason: 'Undecidable' } : one)),
    findings: [{ code, severity: 'Error' }],
  }),
  roles: new Map([[ALPHA, LIMITED]]),
});
test('finds nothing wrong where an owner limits the access, and the finding says so', () =>
  expect(wrongIn({ ...inOrder, ...undecidable('TrustRestrictedByOwner') }, nothingLeft)).toEqual([]));

const cases: Record<string, [seen: Partial<Seen>, told: RegExp]> = {
  'a limit of an owner that no finding names': [undecidable('TrustOverPermissive'), /a fresh look says TrustRestrictedByOwner/],
  'a status of an older generation': [withMetadata({ generation: 2 }), /the status is of generation 1/],
  'a binding that does not go': [withMetadata({ deletionTimestamp: '2026-01-01T00:00:00Z' }), /still being deleted/],
  'a step that goes on and on': [withStatus({ conditions: [...conditions, condition('Reconciling', 'x')] }), /still at it/],
  'a binding that is Granted without a grant': [{ grants: [] }, /Authorized is True Granted.*False NotGranted/],
  'a grant by a label that the namespace lost': [{ labels: new Map([['walk-a', {}]]) }, /False NotGranted/],
  'tags that nobody consented with': [
    { grants: [{ spec: { ...grant.spec, requiredRoleTags: { yes: 'please' } } }] },
    /Authorized is True Granted.*False NotGranted/,
  ],
  'tags that nobody consented with, by one that only looks': [
    {
      grants: [{ spec: { ...grant.spec, requiredRoleTags: { yes: 'please' } } }],
      bindings: [{ ...binding, spec: { ...binding.spec, mode: 'Observe' } }],
    },
    /Authorized is True Granted.*False NotGranted/,
  ],
  'trust that is told and does not stand': [{ roles: new Map([[ALPHA, role([])]]) }, /says AllowedByOperator, and does not stand/],
  'a subject of a binding that is gone': [
    { roles: new Map([[ALPHA, role([APP, subjectOf('walk-a', 'gone')])]]) },
    /walk-a:gone\|sts.amazonaws.com, which no binding stands on/,
  ],
  'a role that a Ready binding should have left': [
    withStatus({ roles: [...(binding.status?.roles ?? []), { arn: arnOf('beta'), roleId: '', audience: 'sts.amazonaws.com', sid: '' }] }),
    /is Ready and still stands on/,
  ],
  'another annotation': [{ accounts: new Map([['walk-a/app', account({ [ROLE_ARN]: arnOf('beta') })]]) }, /the annotations are/],
  'an annotation of ours that no binding names': [
    { accounts: new Map([...inOrder.accounts, ['walk-a/job', account({ [ROLE_ARN]: ALPHA })]]) },
    /walk-a\/job carries .* by us/,
  ],
  'a pod with another role': [
    { ...withStatus({ pods: { total: 1, current: 1, stale: 0, exempt: 0 } }), pods: new Map([['walk-a/app', [pod(arnOf('beta'))]]]) },
    /0 of 1 pods have the role/,
  ],
  'a number of pods that is not so': [{ pods: new Map([['walk-a/app', [pod(ALPHA)]]]) }, /there are 1/],
  'distrust without a reason': [
    {
      ...withStatus({
        conditions: conditions.map((one) => (one.type === 'Trusted' ? { ...one, status: 'False', reason: 'RoleNotFound' } : one)),
      }),
    },
    /nothing hinders it/,
  ],
};
for (const [sentence, [part, told]] of Object.entries(cases))
  test(`finds ${sentence}`, () => expect(wrongIn({ ...inOrder, ...part }, nothingLeft).join('\n')).toMatch(told));

test('lets stand what a binding left by its own will', () => {
  const gone = { ...inOrder, bindings: [] };
  const left = { retained: new Set([trustKey(ALPHA, APP, 'sts.amazonaws.com')]), annotated: new Set(['walk-a/app']) };
  expect([wrongIn(gone, left), wrongIn(gone, nothingLeft).length]).toEqual([[], 2]);
});
