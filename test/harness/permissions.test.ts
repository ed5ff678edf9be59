import { type KubeRequest, requestOf, type TestbedRecord } from '@irsa-operator/testbed';
import { describe, expect, test } from 'vitest';
import { neverUsed, rightsIn, unexpectedRefusals, unusedRights } from './permissions.ts';

const ROLES = `
kind: ClusterRole
metadata: {name: some}
rules:
  - {apiGroups: [""], resources: [pods, pods/eviction], verbs: [list, create]}
---
kind: Role
metadata: {name: some}
rules:
  - {apiGroups: [coordination.k8s.io], resources: [leases], resourceNames: [mine], verbs: [get]}
---
kind: RoleBinding
metadata: {name: some}
`;
const request = (part: Partial<KubeRequest>): KubeRequest => ({
  verb: 'list',
  apiGroup: '',
  resource: 'pods',
  name: '',
  code: 200,
  why: 'RBAC: allowed by ClusterRoleBinding "x" of ClusterRole "some" to ServiceAccount "a/b"',
  refused: false,
  ...part,
});
const lease = {
  verb: 'get',
  apiGroup: 'coordination.k8s.io',
  resource: 'leases',
  name: 'mine',
  why: 'RBAC: allowed by RoleBinding "x/y" of Role "some" to z',
};
const ALL = [
  'ClusterRole "some": list pods',
  'ClusterRole "some": create pods',
  'ClusterRole "some": list pods/eviction',
  'ClusterRole "some": create pods/eviction',
];
const LEASE = 'Role "some": get leases.coordination.k8s.io "mine"';

describe('a right is unused', () => {
  const cases: Record<string, { requests: Partial<KubeRequest>[]; unused: string[] }> = {
    'when nothing was asked': { requests: [], unused: [...ALL, LEASE] },
    'unless it was asked for, whatever the answer': { requests: [{}, { ...lease, code: 404 }], unused: ALL.slice(1) },
    'when only the subresource was asked for': {
      requests: [{ resource: 'pods/eviction', verb: 'create' }],
      unused: [...ALL.slice(0, 3), LEASE],
    },
    'when another role allowed it': {
      requests: [{ why: 'RBAC: allowed by ClusterRoleBinding "x" of ClusterRole "other" to y' }],
      unused: [...ALL, LEASE],
    },
    'when another object was asked for': { requests: [{ ...lease, name: 'theirs' }], unused: [...ALL, LEASE] },
    'when the resource is of another group': { requests: [{ apiGroup: 'metrics.k8s.io' }], unused: [...ALL, LEASE] },
  };
  for (const [sentence, { requests, unused }] of Object.entries(cases)) {
    test(sentence, () => expect(unusedRights(rightsIn(ROLES), requests.map(request))).toEqual(unused));
  }
});

describe('a refusal is unexpected', () => {
  const refused: TestbedRecord = {
    requests: [request({ verb: 'patch', resource: 'serviceaccounts', code: 403, why: '', refused: true }), request({})],
    calls: [
      { service: 'iam', operation: 'GetRole', code: 'AccessDenied' },
      { service: 'iam', operation: 'GetRole', code: 'NoSuchEntity' },
    ],
    expectedRefusals: [],
  };
  test('unless a test of that testbed said it', () => {
    expect(unexpectedRefusals(refused)).toEqual(['403 patch serviceaccounts', 'AccessDenied iam:GetRole']);
    expect(unexpectedRefusals({ ...refused, expectedRefusals: ['*'] })).toEqual([]);
    expect(unexpectedRefusals({ ...refused, expectedRefusals: ['patch serviceaccounts', 'iam:GetRole'] })).toEqual([]);
  });
});

describe('a line of the audit log', () => {
  const CAME_BACK = { from: Date.parse('2026-11-28T02:00:00Z'), to: Date.parse('2026-11-28T02:00:05Z') };
  const event = (username: string, code: number, part: object = {}) =>
    requestOf(
      {
        auditID: '1',
        stage: 'ResponseComplete',
        verb: 'get',
        requestURI: '/api',
        user: { username },
        objectRef: { resource: 'pods', subresource: 'eviction', namespace: 'shop', name: 'app-1' },
        responseStatus: { code },
        requestReceivedTimestamp: '2026-11-28T02:00:06.000001Z',
        stageTimestamp: '',
        ...part,
      },
      [CAME_BACK],
    );
  const operator = 'system:serviceaccount:irsa-operator-system:irsa-operator';
  test('of the operator is a request, without the name of the pod', () => {
    expect(event(operator, 403)).toEqual({
      verb: 'get',
      apiGroup: '',
      resource: 'pods/eviction',
      name: '',
      code: 403,
      why: '',
      refused: true,
    });
  });
  test('of anybody else is none, but for a token that is refused', () => {
    expect([event('admin', 403), event('', 401)?.refused]).toEqual([undefined, true]);
  });
  test('from while an API server came back is a request where it was answered, and none where it was refused', () => {
    const during = { requestReceivedTimestamp: '2026-11-28T02:00:04.999999Z' };
    expect([event(operator, 403, during), event(operator, 200, during)?.refused]).toEqual([undefined, false]);
  });
  test('of a dry run is none, but for one that RBAC refuses', () => {
    const dryRun = (decision: string) => ({ requestURI: '/api?dryRun=All', annotations: { 'authorization.k8s.io/decision': decision } });
    expect([event(operator, 403, dryRun('allow')), event(operator, 403, dryRun('forbid'))?.refused]).toEqual([undefined, true]);
  });
});

test('of what ships everything is counted: nothing was used, so all of it is named', () => {
  const named = neverUsed([]);
  for (const right of [
    'ClusterRole "irsa-operator": patch serviceaccounts',
    'ClusterRole "irsa-operator-verification": create serviceaccounts/token',
  ])
    expect(named).toContain(right);
  expect(named).toContain('config/iam/policy.json: WriteTrustPolicies: iam:UpdateAssumeRolePolicy');
  expect(named).toContain('config/iam/manage-oidc-provider.json: RegisterTheProvider: iam:CreateOpenIDConnectProvider');
});
