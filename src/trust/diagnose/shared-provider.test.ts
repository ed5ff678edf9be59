import { describe, expect, test } from 'vitest';
import { ACTION, ROLE, read } from '../../../test/trust/cluster.ts';
import { unguardedProviders } from './shared-provider.ts';

const provider = (host: string) => `arn:aws:iam::111122223333:oidc-provider/${host}`;
const GITHUB = 'token.actions.githubusercontent.com';
const SUB = `${GITHUB}:sub`;

function said(condition: unknown, change: object = {}): string[] {
  const statement = { Effect: 'Allow', Principal: { Federated: provider(GITHUB) }, Action: ACTION, Condition: condition, ...change };
  return unguardedProviders(read(JSON.stringify({ Statement: statement })), { role: ROLE }).map(
    ({ code, message }) => `${code}: ${message}`,
  );
}

const complaint = (host: string, claim: string) =>
  `TrustThirdPartyGuard: trust policy of ${ROLE}: statement 1 trusts "${host}", which many customers share, without a condition on "${host}:${claim}". IAM may reject every change of this policy until the owner of the policy adds this condition`;

describe('a provider that many customers share', () => {
  const guarded: Record<string, object> = {
    'by an exact claim': { StringEquals: { [SUB]: 'repo:a/b:ref:refs/heads/main' } },
    'by a pattern': { StringLike: { [SUB]: 'repo:a/*' } },
    'without regard to case': { stringequalsignorecase: { [SUB.toUpperCase()]: 'repo:a/b' } },
    'by any value': { 'ForAnyValue:StringLike': { [SUB]: ['*', 'repo:a/*'] } },
    'among other conditions': { StringEquals: { [`${GITHUB}:aud`]: 'x' }, StringLike: { x: 'y', [SUB]: 'repo:a/*' } },
  };
  for (const [sentence, condition] of Object.entries(guarded)) test(`is guarded ${sentence}`, () => expect(said(condition)).toEqual([]));

  const open: Record<string, unknown> = {
    'without a condition': undefined,
    'with a condition that is none': 'x',
    'with an operator that has no block': { StringEquals: 'x' },
    'with another claim': { StringEquals: { [`${GITHUB}:aud`]: 'sts.amazonaws.com' } },
    'by wildcards alone': { StringLike: { [SUB]: ['*', '**?', ''] } },
    'by an operator that excludes': { StringNotEquals: { [SUB]: 'repo:a/b' } },
    'by one that an absent claim satisfies': { StringEqualsIfExists: { [SUB]: 'repo:a/b' } },
    'by one that does not compare texts': { Null: { [SUB]: 'false' }, ArnLike: { [SUB]: 'x' } },
    'by one that does not exist': { StringMatches: { [SUB]: 'x' } },
    'without values': { StringEquals: { [SUB]: [] } },
  };
  for (const [sentence, condition] of Object.entries(open)) {
    test(`is open ${sentence}`, () => expect(said(condition)).toEqual([complaint(GITHUB, 'sub')]));
  }

  test('is open by its aud where that tells the customers apart', () => {
    for (const host of ['api.pulumi.com/oidc', 'sandboxes.cloud', 'oidc.vercel.com']) {
      const on = (claim: string) => said({ StringEquals: { [`${host}:${claim}`]: 'x' } }, { Principal: { Federated: [provider(host)] } });
      expect([on('sub'), on('aud')]).toEqual([[complaint(host, 'aud')], []]);
    }
  });

  test('is known by every name of the list', () => {
    const hosts = [
      ...[GITHUB, 'vstoken.actions.githubusercontent.com', 'oidc-configuration.audit-log.githubusercontent.com', 'gitlab.com'],
      ...['agent.buildkite.com', 'app.terraform.io', 'oidc.codefresh.io', 'studio.datachain.ai/api', 'scalr.io'],
      ...['tokens.cloud.shisho.dev', 'proidc.upbound.io'],
    ];
    for (const host of hosts) expect(said(undefined, { Principal: { Federated: provider(host) } })).toEqual([complaint(host, 'sub')]);
  });

  test('is spoken of once a statement, and not in a Deny or as another kind', () => {
    expect(said(undefined, { Principal: { Federated: [provider(GITHUB), provider('gitlab.com')] } })).toEqual([complaint(GITHUB, 'sub')]);
    expect(said(undefined, { Effect: 'Deny' })).toEqual([]);
    expect(said(undefined, { Effect: 5 })).toEqual([complaint(GITHUB, 'sub')]);
    expect(said(undefined, { Principal: { AWS: provider(GITHUB) } })).toEqual([]);
    expect(said(undefined, { Principal: { Federated: provider('github.example.com') } })).toEqual([]);
  });
});
