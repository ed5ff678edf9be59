import { describe, expect, test } from 'vitest';
import type { IrsaBinding } from '../api/binding.ts';
import { Fault } from '../api/fault.ts';
import { STS_AUDIENCE } from '../api/names.ts';
import { ARN, binding, entry, grant, ISSUER, own, policy, SERVICE, SUBJECT, serviceAccount } from '../domain/test-observed.ts';
import { sidFor } from '../trust/document/own-statement.ts';
import { CANARIES, CANARY_ARN, CANARY_ISSUER, onSubject } from './test-canaries.ts';
import { providerOf, type Surface, type Tenants, toldTo } from './test-tenants.ts';

/**
 * Whatever belongs to others carries the word "canary", or a text that only they know. Its owner is shown it, so that the test can fail; no
 * other tenant is. A log line is a tenant's where it carries an object of the tenant as its key: lines about a role or an account carry what
 * belongs to several, and are for those who run the operator.
 */
const SURFACES: readonly Surface[] = ['status', 'event', 'metric', 'log'];
const CANARY_AUDIENCE = 'vault.canary.example';
const CANARY_SID = sidFor(ISSUER, CANARY_AUDIENCE);

const mine = (spec: object = {}) => binding({ spec });
/** A binding of another tenant. */
const theirs = (spec: object = {}, part: Parameters<typeof binding>[0] = {}): IrsaBinding =>
  binding({
    ...part,
    spec: { serviceAccountName: 'canary-account', ...spec },
    metadata: { namespace: 'canary', name: 'canary-binding', uid: 'canary', ...part.metadata },
  });

/** It has an annotation for the role, and no binding. */
const unbound = { ...serviceAccount(), name: 'unbound' };

const role = (trust: string, tags: Readonly<Record<string, string>> = {}, found: string = ARN) => ({
  arn: found,
  roleId: 'AROAAPP',
  policy: trust,
  tags: new Map(Object.entries(tags)),
});
const on = (trust: string, tags?: Readonly<Record<string, string>>) => ({ [ARN]: role(trust, tags) });

const around: Record<string, (statement: object) => string> = {
  'alone in its policy': (statement) => policy(statement),
  'beside a statement that lets the tenant in': (statement) => policy(statement, onSubject(SUBJECT)),
  'beside the statement of irsa-operator': (statement) => policy(SERVICE, statement, own()),
  'as a Deny': (statement) => policy({ ...statement, Effect: 'Deny' }, onSubject(SUBJECT)),
};
const wants: Record<string, object> = {
  enforces: {},
  observes: { mode: 'Observe' },
  'leaves the policy to others': { trustPolicy: 'External' },
};

/** The quoted texts in which it is found: a failing test shows them, and not the whole status. */
function sentencesWith(text: string | RegExp, told: string): string[] {
  return told.split(/","/).filter((part) => (typeof text === 'string' ? part.includes(text) : text.test(part)));
}

async function expectUntold(tenants: Tenants, text: string | RegExp): Promise<void> {
  const toldOf = await toldTo(tenants);
  const told = toldOf('shop/app');
  // Whoever is told nothing at all is told no canary either.
  expect(told.status).toContain('"Ready"');
  expect(told.metric).toContain('irsa_binding_status_condition');
  const all = [told, toldOf('shop/unbound')].flatMap((one) => SURFACES.map((surface) => one[surface]));
  expect(all.flatMap((one) => sentencesWith(text, one))).toEqual([]);
}

// Contract: unbound-quotes
for (const [whose, found] of Object.entries(CANARIES))
  describe(`a statement of a trust policy ${whose}`, () => {
    for (const [what, statement] of Object.entries(found))
      test(`its ${what} is told to no tenant whom it does not name`, async () => {
        expect(JSON.stringify(statement)).toMatch(/canary/i); // as the role's owner reads it
        for (const at of Object.values(around))
          for (const spec of Object.values(wants))
            await expectUntold({ bindings: [mine(spec)], serviceAccounts: [unbound], roles: on(at(statement)) }, /canary/i);
      });
  });

interface Case extends Omit<Tenants, 'bindings'> {
  readonly bindings?: readonly IrsaBinding[];
  readonly text?: string | RegExp;
  /** Where the owner is shown it: on a surface of a binding, or in what AWS answered about what is the owner's. */
  readonly shown: { readonly of: string; readonly on: Surface; readonly with?: Partial<Tenants> } | string;
}
const OWNER = 'canary/canary-binding';
const ownCanary = own(['system:serviceaccount:canary:canary-account', SUBJECT]);
/** Another writer added a condition to it, so that it is not of irsa-operator any more. */
const changed = (audience: string) => {
  const statement = own([SUBJECT, 'system:serviceaccount:canary:canary-account'], audience) as { Condition: object };
  return { ...statement, Condition: { ...statement.Condition, Bool: { 'aws:SecureTransport': 'true' } } };
};
const audiences = [STS_AUDIENCE, CANARY_AUDIENCE];
const both = { namespaces: { names: ['shop', 'canary'] }, audiences };
const canaryEntry = { status: { roles: [entry(ARN, undefined, CANARY_AUDIENCE)] } };

/** What IAM says to every write, because another statement trusts a role that was deleted. */
const REFUSED = new Fault(
  'invalid',
  `iam:UpdateAssumeRolePolicy of role "${ARN}": MalformedPolicyDocument: Invalid principal in policy: "AWS":"${CANARY_ARN}"`,
  { code: 'MalformedPolicyDocument' },
);

const cases: Record<string, Case> = {
  'the namespace of another binding of the role, on any surface': {
    bindings: [mine(), theirs()],
    roles: on(policy(SERVICE)),
    shown: { of: OWNER, on: 'status' },
  },
  'the Event of another binding of the role': {
    bindings: [mine(), theirs()],
    roles: on(policy(SERVICE)),
    shown: { of: OWNER, on: 'event' },
  },
  'the series of another binding of the role': {
    bindings: [mine(), theirs()],
    roles: on(policy(SERVICE)),
    shown: { of: OWNER, on: 'metric' },
  },
  'the log lines of another binding of the role': {
    bindings: [mine(), theirs()],
    roles: on(policy(SERVICE)),
    shown: { of: OWNER, on: 'log' },
  },
  'the subject that another binding gives back': {
    bindings: [mine(), theirs({}, { metadata: { deleting: true } })],
    roles: on(policy(SERVICE, ownCanary)),
    shown: { of: OWNER, on: 'event' },
  },
  'a subject that no binding names': {
    bindings: [mine()],
    roles: on(policy(SERVICE, ownCanary)),
    shown: { of: OWNER, on: 'status', with: { bindings: [theirs()] } },
  },
  'the subject for which there is no room': {
    bindings: [mine(), theirs()],
    roles: on(policy({ ...SERVICE, Sid: 'a'.repeat(1_500) })),
    shown: { of: OWNER, on: 'status' },
  },
  'a ServiceAccount of that name that no binding names': {
    serviceAccounts: [{ ...serviceAccount(), namespace: 'canary', name: 'canary-account' }],
    roles: on(policy(SERVICE)),
    shown: { of: 'canary/canary-account', on: 'log' },
  },
  'the Sid of a statement that another binding cannot give back': {
    bindings: [mine(), theirs({ audience: CANARY_AUDIENCE }, { ...canaryEntry, metadata: { deleting: true } })],
    roles: on(policy(SERVICE, changed(CANARY_AUDIENCE))),
    clientIds: audiences,
    text: CANARY_SID,
    shown: { of: OWNER, on: 'status' },
  },
  'the Sid of a statement that another binding may not change': {
    bindings: [mine(), theirs({ audience: CANARY_AUDIENCE }, canaryEntry)],
    roles: on(policy(SERVICE, changed(CANARY_AUDIENCE))),
    clientIds: audiences,
    text: CANARY_SID,
    shown: { of: OWNER, on: 'status' },
  },
  'the audience of another binding of the role': {
    bindings: [mine(), theirs({ audience: CANARY_AUDIENCE }, canaryEntry)],
    roles: on(policy(SERVICE)),
    clientIds: audiences,
    text: CANARY_AUDIENCE,
    shown: { of: OWNER, on: 'status' },
  },
  'the client IDs of other tenants at the provider of the cluster': {
    bindings: [mine(), theirs({ audience: CANARY_AUDIENCE }, canaryEntry)],
    roles: on(policy(SERVICE)),
    clientIds: [CANARY_AUDIENCE],
    text: CANARY_AUDIENCE,
    shown: { of: OWNER, on: 'status' },
  },
  'the role that another binding left, and has': {
    bindings: [mine(), theirs({ roleArn: CANARY_ARN }, { status: { roles: [entry(), entry(CANARY_ARN)] } })],
    grants: [],
    roles: { ...on(policy(SERVICE, ownCanary)), [CANARY_ARN]: role(policy(SERVICE), {}, CANARY_ARN) },
    text: CANARY_ARN,
    shown: { of: OWNER, on: 'status' },
  },
  'a principal because of which IAM refuses the document': {
    roles: on(policy(SERVICE)),
    refused: REFUSED,
    shown: `the answer of IAM to who writes "${CANARY_ARN}" into a trust policy`,
  },
  'a principal because of which IAM does not let its subject go': {
    bindings: [binding({ metadata: { deleting: true } })],
    roles: on(policy(SERVICE, own())),
    refused: REFUSED,
    shown: `the answer of IAM to who writes "${CANARY_ARN}" into a trust policy`,
  },
  'the grant of others, beside one of its own': {
    bindings: [mine(), theirs()],
    grants: [{ ...grant({ namespaces: { names: ['canary'] } }), name: 'canary-grant' }, grant()],
    roles: on(policy(SERVICE)),
    shown: { of: OWNER, on: 'status' },
  },
  'the tags of the role': {
    roles: on(policy(SERVICE), { canary: 'canary', 'managed-by': 'terraform-canary' }),
    shown: 'the role of a team, with the tag canary',
  },
  'the tags of the role, beside a grant that requires others': {
    grants: [grant({ ...both, requiredRoleTags: { owner: 'shop' } })],
    roles: on(policy(SERVICE), { owner: 'canary' }),
    shown: 'the role of a team, with the tag canary',
  },
  'the tag that a grant of others requires': {
    bindings: [mine(), theirs()],
    grants: [
      grant({ requiredRoleTags: { 'canary-tag': 'canary' } }),
      { ...grant({ namespaces: { names: ['canary'] } }), name: 'canary-grant' },
    ],
    roles: on(policy(SERVICE), { owner: 'x' }),
    shown: { of: OWNER, on: 'status' },
  },
  'the providers of other clusters in the account': {
    roles: on(policy(SERVICE)),
    clientIds: undefined,
    providers: [providerOf(CANARY_ISSUER), 'arn:aws:iam::111122223333:oidc-provider/canary.example.com'],
    shown: { of: 'shop/app', on: 'status', with: { issuer: CANARY_ISSUER } },
  },
};

// Contract: unbound-quotes
describe('no tenant is told', () => {
  for (const [what, { shown, text = /canary/i, ...part }] of Object.entries(cases))
    test(what, async () => {
      const tenants = { bindings: [mine()], grants: [grant(both)], ...part };
      if (typeof shown === 'string') expect(shown).toMatch(/canary/i);
      else expect((await toldTo({ ...tenants, ...shown.with }))(shown.of as 'a/b')[shown.on]).toMatch(text);
      await expectUntold(tenants, text);
    });
});
