import { describe, expect, test } from 'vitest';
import { providerArnFor } from '../../api/arn.ts';
import type { IrsaBinding } from '../../api/binding.ts';
import { Fault } from '../../api/fault.ts';
import { parseIssuer } from '../../api/issuer.ts';
import { problem } from '../../api/problem.ts';
import { ARN, arn, binding, ISSUER, NOW, OTHER_ARN, own, parsed, policy, SERVICE, SUBJECT } from '../../domain/test-observed.ts';
import { writeOwn } from '../../trust/document/own-statement.ts';
import { Account, foreign, stores } from '../test-account.ts';
import { prepare } from './prepare.ts';

const NEW = parsed(parseIssuer('https://oidc.eks.eu-west-1.amazonaws.com/id/GREEN'));
const audience = 'sts.amazonaws.com';
const green = { issuer: NEW };
const theirs = (subjects: readonly string[] = [SUBJECT]): object =>
  JSON.parse(writeOwn({ issuer: NEW, provider: providerArnFor(ARN, NEW) }, audience, subjects));
const rowOf = (result: string, message?: string, subject: string = SUBJECT) => ({
  result,
  role: ARN,
  subject,
  audience,
  ...(message === undefined ? {} : { message }),
});
const named = (name: string, part: Parameters<typeof binding>[0] = {}): IrsaBinding =>
  binding({ ...part, metadata: { name, uid: name, ...part.metadata }, spec: { serviceAccountName: name, ...part.spec } });

// Contract: blue-green
test("the other cluster's statement is written beside what stands, one write for all of a role", async () => {
  const account = new Account({ [ARN]: policy(SERVICE, own()) });
  const report = await stores(account, { bindings: [binding(), named('other')] }).run(prepare, green);
  const other = 'system:serviceaccount:shop:other';
  expect([report.rows, report.exitCode]).toEqual([[rowOf('added'), rowOf('added', undefined, other)], 0]);
  expect(account.writes).toEqual([[ARN, policy(SERVICE, own(), theirs([SUBJECT, other]))]]);
});

test('--dry-run prints the statements, and writes nothing', async () => {
  const account = new Account({ [ARN]: foreign });
  const report = await stores(account).run(prepare, { ...green, 'dry-run': true });
  expect([report.rows, report.statements, account.writes, report.exitCode]).toEqual([
    [rowOf('planned')],
    [{ role: ARN, statement: theirs() }],
    [],
    0,
  ]);
});

test('a second run writes nothing', async () => {
  const account = new Account({ [ARN]: policy(SERVICE, theirs()) });
  const report = await stores(account).run(prepare, green);
  expect([report.rows, account.writes, report.exitCode]).toEqual([[rowOf('standing')], [], 0]);
});

test('whom somebody else lets in needs no statement', async () => {
  const account = new Account({ [ARN]: policy({ ...theirs(), Sid: 'Theirs' }) });
  expect([(await stores(account).run(prepare, green)).rows, account.writes]).toEqual([[rowOf('allowed')], []]);
});

test('of a role whose quota is too small for all the older binding gets its place', async () => {
  const older = named('zzz', { metadata: { createdAt: NOW - 2 * 86_400_000 } });
  const account = new Account({ [ARN]: foreign });
  account.quota = policy(SERVICE, theirs(['system:serviceaccount:shop:zzz'])).length;
  const report = await stores(account, { bindings: [binding(), older] }).run(prepare, green);
  expect(report.rows.map(({ result, subject }) => [result, subject])).toEqual([
    ['added', 'system:serviceaccount:shop:zzz'],
    ['refused', SUBJECT],
  ]);
  expect(report.rows[1]?.message).toContain('TrustPolicyTooLarge: ');
});

describe('a binding is left alone', () => {
  const left: Record<string, { binding: IrsaBinding; result: string; why: string }> = {
    'that is being deleted': { binding: binding({ metadata: { deleting: true } }), result: 'skipped', why: 'is being deleted' },
    'that is suspended': { binding: binding({ spec: { suspend: true } }), result: 'skipped', why: 'is suspended' },
    'that observes': { binding: binding({ spec: { mode: 'Observe' } }), result: 'skipped', why: 'only observes' },
    'whose trust somebody else writes': {
      binding: binding({ spec: { trustPolicy: 'External' } }),
      result: 'skipped',
      why: 'has trustPolicy External: others write the trust policy',
    },
    'that no grant covers': {
      binding: binding({ metadata: { namespace: 'other' } }),
      result: 'refused',
      why: 'NotGranted: no IrsaGrant allows ServiceAccount "app" of namespace "other"',
    },
    'for the role that we run as': {
      binding: binding({ spec: { roleArn: 'arn:aws:iam::111122223333:role/team/irsa-operator' } }),
      result: 'refused',
      why: 'RoleIsOperator: ',
    },
    "that this cluster's operator refuses": {
      binding: binding({
        status: {
          conditions: [
            {
              type: 'Authorized',
              status: 'False',
              observedGeneration: 1,
              lastTransitionTime: '2026-01-01T00:00:00Z',
              reason: 'RoleIsOperator',
              message: 'it is the one that irsa-operator itself runs as',
            },
          ],
        },
      }),
      result: 'refused',
      why: 'RoleIsOperator: it is the one that irsa-operator itself runs as',
    },
    'that cannot be read': { binding: { ...binding(), spec: problem('spec.roleArn: none') }, result: 'refused', why: 'spec.roleArn: none' },
  };
  for (const [sentence, { binding: one, result, why }] of Object.entries(left))
    test(sentence, async () => {
      const account = new Account({ [ARN]: foreign, 'arn:aws:iam::111122223333:role/team/irsa-operator': foreign });
      const report = await stores(account, { bindings: [one] }).run(prepare, green);
      expect([report.rows.map((row) => row.result), account.writes, report.exitCode]).toEqual([[result], [], result === 'refused' ? 1 : 0]);
      expect(report.rows[0]?.message).toContain(why);
    });

  test('when an older one has the ServiceAccount', async () => {
    const older = binding({ metadata: { name: 'older', uid: 'older', createdAt: 0 }, spec: { roleArn: OTHER_ARN } });
    const account = new Account({ [ARN]: foreign, [OTHER_ARN]: foreign });
    const report = await stores(account, { bindings: [binding(), older] }).run(prepare, green);
    expect(report.rows.map(({ result, role }) => [result, role])).toEqual([
      ['added', OTHER_ARN],
      ['refused', ARN],
    ]);
    expect(report.rows[1]?.message).toContain('ServiceAccountTaken: ');
  });

  test('for an audience of an API server, and of the other one too', async () => {
    const audiences = ['https://kubernetes.default.svc', NEW];
    const bindings = audiences.map((one) => named(`b${audiences.indexOf(one)}`, { spec: { audience: one } }));
    const w = stores(new Account({ [ARN]: foreign }), { bindings });
    const cluster = () => ({
      ...w.ports.cluster(),
      grants: async () => [{ ...grantFor(ARN), spec: { ...grantFor(ARN).spec, audiences } }],
    });
    const { rows } = await w.run(prepare, green, { cluster });
    expect(rows.map(({ message }) => message?.slice(0, 17))).toEqual(['AudienceForbidden', 'AudienceForbidden']);
  });

  test('whose role is in another account, which is not asked about', async () => {
    const far = arn('arn:aws:iam::999900001111:role/team/app');
    const w = stores(new Account({}), { bindings: [binding({ spec: { roleArn: far } })] });
    const cluster = () => ({ ...w.ports.cluster(), grants: async () => [{ ...grantFor(far) }] });
    expect((await w.run(prepare, green, { cluster })).rows[0]?.message).toContain('RoleInOtherAccount: ');
  });
});

function grantFor(role: string) {
  return {
    name: 'far',
    spec: {
      roleArns: [role],
      namespaces: { names: ['shop'] },
      serviceAccountNames: ['*'],
      audiences: [audience],
      requiredRoleTags: {},
      allowVerification: false,
    },
    uid: 'grant',
    generation: 1,
    revocationConfirmedAt: undefined,
  };
}

describe('a role is not written', () => {
  const paused = { 'irsa-operator.dev/paused': 'true' };
  const roles: Record<string, { role: ConstructorParameters<typeof Account>[0][string] | undefined; why: string }> = {
    'that is paused': { role: { policy: foreign, tags: paused }, why: 'RolePaused: ' },
    'that does not exist': { role: undefined, why: `IAM has no role "${ARN}"` },
    'that IAM knows by another ARN': { role: { policy: foreign, foundAs: 'arn:aws:iam::111122223333:role/app' }, why: 'RoleArnMismatch: ' },
    'whose policy cannot be read': { role: 'nonsense', why: 'TrustPolicyUnparseable: ' },
    'in which a Deny matches': {
      role: policy({ Effect: 'Deny', Principal: '*', Action: 'sts:AssumeRoleWithWebIdentity' }),
      why: 'TrustExplicitDeny: ',
    },
    'in which our Sid was taken': {
      role: policy({ ...theirs(['system:serviceaccount:shop:other']), Resource: '*' }),
      why: 'TrustSidTaken: ',
    },
  };
  for (const [sentence, { role, why }] of Object.entries(roles))
    test(sentence, async () => {
      const account = new Account(role === undefined ? {} : { [ARN]: role });
      const report = await stores(account).run(prepare, green);
      expect([report.rows.map((row) => row.result), account.writes, report.exitCode]).toEqual([['refused'], [], 1]);
      expect(report.rows[0]?.message).toContain(why);
    });

  test('for a binding whose grant asks for tags that it does not carry; the others of the role are', async () => {
    const account = new Account({ [ARN]: foreign });
    const w = stores(account, { bindings: [binding(), named('tagged', { metadata: { namespace: 'tags' } })] });
    const tagged = { ...grantFor(ARN), name: 'tagged' };
    const grants = async () => [
      grantFor(ARN),
      { ...tagged, spec: { ...tagged.spec, namespaces: { names: ['tags'] }, requiredRoleTags: { owner: 'tags' } } },
    ];
    const report = await w.run(prepare, green, { cluster: () => ({ ...w.ports.cluster(), grants }) });
    expect(report.rows).toEqual([
      rowOf('added'),
      rowOf('refused', 'NotGranted: the role does not have the tags that the grant requires', 'system:serviceaccount:tags:tagged'),
    ]);
    expect(account.writes).toEqual([[ARN, policy(SERVICE, theirs())]]);
  });
});

describe("the other cluster's OIDC provider", () => {
  test('has to be there before anything is written for it', async () => {
    const account = new Account({ [ARN]: foreign });
    const report = await stores(account).run(prepare, green, { providers: { clientIds: async () => undefined } });
    expect([report.rows.map(({ result }) => result), account.writes, report.exitCode]).toEqual([['refused'], [], 1]);
    expect(report.rows[0]?.message).toMatch(
      /^OidcProviderMissing: account 111122223333 has no OIDC provider for ".*GREEN", so no statement/,
    );
  });

  test('has to take the audience, for what has this audience', async () => {
    const account = new Account({ [ARN]: foreign });
    const report = await stores(account).run(prepare, green, { providers: { clientIds: async () => ['sigstore'] } });
    expect([report.rows.map(({ result }) => result), account.writes]).toEqual([['refused'], []]);
    expect(report.rows[0]?.message).toMatch(/^OidcProviderAudienceMissing: /);
  });

  test('is not needed for what --dry-run prints', async () => {
    const account = new Account({ [ARN]: foreign });
    const report = await stores(account).run(prepare, { ...green, 'dry-run': true }, { providers: { clientIds: async () => undefined } });
    expect([report.rows.map(({ result }) => result), report.statements?.length, report.exitCode]).toEqual([['refused', 'planned'], 1, 1]);
  });
});

test('an account that does not tell its quota has the default one', async () => {
  const account = new Account({ [ARN]: foreign });
  account.faults.set('quota', new Fault('denied', 'no'));
  expect((await stores(account).run(prepare, green)).rows).toEqual([rowOf('added')]);
});

test('a cluster without bindings is told', async () => {
  const report = await stores(new Account({}), { bindings: [] }).run(prepare, green);
  expect([report.summary, report.exitCode]).toEqual([`"${NEW}": there is no binding in the cluster`, 0]);
});

test("this cluster's own issuer is no other matter: its operator would write the same", async () => {
  const account = new Account({ [ARN]: foreign });
  expect((await stores(account).run(prepare, { issuer: ISSUER })).rows).toEqual([rowOf('added')]);
  expect(account.writes).toEqual([[ARN, policy(SERVICE, own())]]);
});
