import { expect, test } from 'vitest';
import { ALB, AUDIENCE, allow, desired, HOST, ISSUER, OTHER_HOST, PROVIDER, policy, read } from '../../test/trust/cluster.ts';
import { subjectOf } from '../api/subject.ts';
import { writeOwn } from './document/own-statement.ts';
import { planTrust } from './plan.ts';

/** What a full policy could do without, by what its message says. */
const OTHER = PROVIDER.replace(HOST, OTHER_HOST);
const ELSEWHERE = PROVIDER.replace('111122223333', '999900001111');
const GONE = ['a', 'b', 'c', 'd', 'e', 'f', 'g', 'h', 'i', 'j'].map((id) => PROVIDER.replace(/\/id\/.*/, `/id/${id}`));
const of = (principal: unknown, change = {}) =>
  allow({ StringEquals: { [`${OTHER_HOST}:sub`]: ALB } }, { Principal: { Federated: principal }, ...change });
const orphans = (...names: string[]) => orphansOf(undefined, ...names);
const orphansOf = (clusterId: string | undefined, ...names: string[]) =>
  JSON.parse(
    writeOwn(
      { issuer: ISSUER, provider: PROVIDER, ...(clusterId && { clusterId }) },
      AUDIENCE,
      names.map((name) => subjectOf('shop', name)),
    ),
  );

function useless(statements: object[], providers: readonly string[] | undefined, clusterId?: string): string | undefined {
  const known = { ...(providers && { providers: new Set(providers) }), ...(clusterId && { clusterId }) };
  const plan = planTrust(read(policy(...statements)), desired({ quota: 100, ...known }));
  const [found] = plan.verdicts[0]?.findings ?? [];
  expect(found?.code).toBe('TrustPolicyTooLarge');
  return /First remove what no cluster uses: (.*)\. Or ask AWS/.exec(found?.message ?? '')?.[1];
}

const ec2 = { Effect: 'Allow', Principal: { Service: 'ec2.amazonaws.com' }, Action: 'sts:AssumeRole' };
const cases: Record<string, [statements: object[], providers: readonly string[] | undefined, says: string | undefined]> = {
  'a statement whose provider is there is of use': [[ec2, of(OTHER)], [PROVIDER, OTHER], undefined],
  'a statement whose provider is gone is of none': [
    [ec2, of(OTHER)],
    [PROVIDER],
    'statement 2 (its OIDC provider does not exist in the account)',
  ],
  'several of them are numbered': [
    [of(GONE[0]), ec2, of(GONE[1])],
    [PROVIDER],
    'statements 1, 3 (their OIDC providers do not exist in the account)',
  ],
  'the first eight of many are numbered': [
    GONE.map((one) => of(one)),
    [PROVIDER],
    'statements 1, 2, 3, 4, 5, 6, 7, 8 and 2 more (their OIDC providers do not exist in the account)',
  ],
  'one of two providers is enough': [[of([OTHER, GONE[0]])], [PROVIDER, OTHER], undefined],
  'a statement for a user beside a provider that is gone is of use': [
    [of(undefined, { Principal: { Federated: GONE[0], AWS: '111122223333' } })],
    [PROVIDER],
    undefined,
  ],
  'a provider of another account cannot be known': [[of(ELSEWHERE)], [PROVIDER], undefined],
  'a SAML provider is none of OIDC': [[of('arn:aws:iam::111122223333:saml-provider/x')], [PROVIDER], undefined],
  'a Deny is of use to its owner': [[of(GONE[0], { Effect: 'Deny' })], [PROVIDER], undefined],
  'nothing is known without the list of providers': [[of(GONE[0])], undefined, undefined],
  'a subject that no binding names may go': [
    [ec2, orphans('a')],
    undefined,
    '1 subject of irsa-operator that no binding of this cluster names (irsa-operator prune --sole-cluster --confirm, if no other cluster has this issuer)',
  ],
  'both are said': [
    [of(GONE[0]), orphans('a', 'b')],
    [PROVIDER],
    'statement 1 (its OIDC provider does not exist in the account), and 2 subjects of irsa-operator that no binding of this cluster names (irsa-operator prune --sole-cluster --confirm, if no other cluster has this issuer)',
  ],
};
// Contract: trust-full-names
for (const [sentence, [statements, providers, says]] of Object.entries(cases))
  test(`where a policy is full, ${sentence}`, () => expect(useless(statements, providers)).toBe(says));

test("the subjects of a cluster with an ID are no other cluster's", () =>
  expect(useless([ec2, orphansOf('blue', 'a')], undefined, 'blue')).toBe(
    '1 subject of irsa-operator that no binding of this cluster names (irsa-operator prune --cluster-id blue --confirm)',
  ));

test('whose statement it was is not said', () => {
  const { verdicts } = planTrust(read(policy(of(GONE[0], { Sid: 'Blue' }))), desired({ quota: 100, providers: new Set([PROVIDER]) }));
  expect(verdicts[0]?.findings[0]?.message).not.toMatch(/Blue|\/id\/a\b/);
});
