import { readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { until } from '@irsa-operator/testbed';
import { AwsError } from '@irsa-operator/testbed/aws';
import { beforeAll, describe, expect, test } from 'vitest';
import type { FindingCode } from '../../src/api/finding.ts';
import { grant, OPERATOR_NAMESPACE, pathOf } from '../harness/objects.ts';
import { allowing, EC2, policy } from '../harness/policies.ts';
import type { Scene } from '../harness/scene.ts';
import { integrationSuite } from '../harness/suite.ts';
import { ACCOUNT, type Binding, conditionOf } from '../harness/views.ts';

/** Step 6 of the contract, with the RBAC and the policy that ship: config/rbac, and config/verification beside it. */
const PROOF = 'AssumeRoleWithWebIdentity';
const SESSION = /^irsa-verify-[0-9a-f]{12}$/;
const DENY_ALL = { Version: '2012-10-17', Statement: [{ Effect: 'Deny', Action: '*', Resource: '*' }] };

/** What STS says, by the namespace of the binding that is told so, and what the binding then says. Codes as they go over the wire (API model of STS). */
const ANSWERS: Record<string, { code: string; status?: number; message: string; is: FindingCode; and: string }> = {
  'no-provider': {
    code: 'InvalidIdentityToken',
    message: 'No OpenIDConnect provider found in your account for https://issuer.example',
    is: 'OidcProviderMissing',
    and: 'STS does not know it (yet)',
  },
  'no-audience': {
    code: 'InvalidIdentityToken',
    message: 'Incorrect token audience',
    is: 'OidcProviderAudienceMissing',
    and: 'IAM shows the client ID "sts.amazonaws.com"',
  },
  'no-key': {
    code: 'InvalidIdentityToken',
    message:
      "Couldn't retrieve verification key from your identity provider,  please reference AssumeRoleWithWebIdentity documentation for requirements",
    is: 'IdpUnreachable',
    and: 'must be open to the internet',
  },
  thumbprint: {
    code: 'InvalidIdentityToken',
    message: "OpenIDConnect provider's HTTPS certificate doesn't match configured thumbprint",
    is: 'OidcProviderThumbprint',
    and: 'Update the thumbprints',
  },
  signature: {
    code: 'InvalidIdentityToken',
    message: 'The web identity token provided could not be validated',
    is: 'TokenRejected',
    and: 'Are they the keys of this cluster?',
  },
  unreachable: {
    code: 'IDPCommunicationError',
    message: 'An error occurred while communicating with the identity provider',
    is: 'IdpUnreachable',
    and: 'must be open to the internet',
  },
  claim: {
    code: 'IDPRejectedClaim',
    status: 403,
    message: 'The claim was rejected',
    is: 'TokenRejected',
    and: 'Are they the keys of this cluster?',
  },
  expired: {
    code: 'ExpiredTokenException',
    message: 'Token expired: current date/time 2 must be before the expiration date/time 1',
    is: 'TokenExpired',
    and: 'Compare the clock of the API server',
  },
  region: {
    code: 'RegionDisabledException',
    status: 403,
    message: 'STS is not activated in this region for account:111122223333',
    is: 'StsRegionDisabled',
    and: 'Activate it there',
  },
  arn: { code: 'ValidationError', message: 'Request ARN is invalid', is: 'RoleArnMismatch', and: 'Is it in the partition' },
  organization: {
    code: 'AccessDenied',
    status: 403,
    message: 'Not authorized to perform sts:AssumeRoleWithWebIdentity',
    is: 'OrgPolicyDenied',
    and: 'resource control policy',
  },
};

const suite = integrationSuite();
/** The kubeconfig of the operator's ServiceAccount: what RBAC and policies make of it. */
let asOperator: string;

beforeAll(async () => {
  suite.testbed.expectRefusal('create serviceaccounts/token'); // before config/verification, and for what its policy does not let pass
  asOperator = await suite.testbed.kubeconfigFor({ namespace: OPERATOR_NAMESPACE, name: 'irsa-operator' });
  await granted('proved', true, ['before', 'proved', 'undecided', 'denied', 'late', 'watching', 'foreign', 'mended']);
  await granted('unproved', false, ['forbidden', 'untagged']);
  await granted('tagged', true, ['untagged'], { proof: 'yes' });
  await granted('answers', true, Object.keys(ANSWERS));
});

async function granted(name: string, allowVerification: boolean, names: readonly string[], requiredRoleTags: object = {}): Promise<void> {
  const spec = {
    roleArns: [`arn:aws:iam::${ACCOUNT}:role/*`],
    namespaces: { names },
    serviceAccountNames: ['*'],
    audiences: ['sts.amazonaws.com', 'vault.example'],
    allowVerification,
    requiredRoleTags,
  };
  await suite.api.call('POST', pathOf('irsagrants'), { body: { ...grant(spec), metadata: { name } } });
}

/** Matches a token or not by something that no trust policy tells: the address that STS is called from. The double's callers come from 127.0.0.1. */
const HERE = '127.0.0.0/8';
const ELSEWHERE = '203.0.113.0/24';
const denyFrom = (address: string) =>
  allowing(suite.testbed.issuer, undefined, {
    Sid: 'NotFromThere',
    Effect: 'Deny',
    Condition: { IpAddress: { 'aws:SourceIp': address } },
  });
const prepared = (name: string, ...statements: object[]) => suite.prepared(name, policy(EC2, ...statements));

/** What the operator asked of STS for the role, not what its pods did. */
const proofsOf = (s: Scene) =>
  suite.testbed.aws.journal.filter(
    ({ operation, params }) => operation === PROOF && params['RoleArn'] === s.roleArn && SESSION.test(params['RoleSessionName'] ?? ''),
  );

const tokenRequests = async (s: Scene) =>
  (await s.requests('serviceaccounts'))
    .filter(({ objectRef }) => objectRef?.subresource === 'token')
    .map(({ responseStatus }) => String(responseStatus?.code));

/** What the API server says to the operator itself when it asks for a token. */
async function ask(spec: object): Promise<string> {
  const input = JSON.stringify({ apiVersion: 'authentication.k8s.io/v1', kind: 'TokenRequest', spec });
  const path = '/api/v1/namespaces/default/serviceaccounts/default/token';
  try {
    const answer = await suite.testbed.kubectl(['create', '--raw', path, '-f', '-'], { input, kubeconfig: asOperator });
    return (JSON.parse(answer) as { status: { token: string } }).status.token.length > 0 ? 'a token' : 'nothing';
  } catch (error) {
    return error instanceof Error ? error.message : String(error);
  }
}

// Contract: prove-opt-in
test('without config/verification RBAC gives the operator no token, and the binding is Ready all the same and says why', async () => {
  expect(await ask({ audiences: ['sts.amazonaws.com'], expirationSeconds: 600 })).toMatch(
    /User "system:serviceaccount:irsa-operator-system:irsa-operator" cannot create resource "serviceaccounts\/token"/,
  );
  const s = await prepared('before');
  await s.bind({ verification: 'OnChange' });
  const verified = await s.conditionIs('Verified', 'Unknown', 'VerificationNotInstalled');
  expect(verified.message).toMatch(
    /gets no token of ServiceAccount "app".*cannot create resource "serviceaccounts\/token".*Install config\/verification/,
  );
  await s.conditionIs('Ready', 'True');
  expect(proofsOf(s)).toEqual([]);
});

describe('with config/verification', () => {
  beforeAll(async () => {
    await suite.testbed.kubectl(['apply', '-k', 'config/verification']);
    // The API server compiles a policy and binds it a moment after both are stored: until then nothing confines.
    await until('the policy is in force', async () => (await ask({ audiences: ['vault.example'] })).includes('denied request'), {
      timeoutMs: 30_000,
    });
  });

  // Contract: prove-confined
  describe('the operator is confined by a policy', () => {
    const refused: Record<string, { spec: object; why: RegExp }> = {
      'to the audiences of its list': {
        spec: { audiences: ['vault.example'], expirationSeconds: 600 },
        why: /may ask for tokens with one audience of sts\.amazonaws\.com, not for vault\.example$/,
      },
      'to one audience': {
        spec: { audiences: ['sts.amazonaws.com', 'vault.example'], expirationSeconds: 600 },
        why: /not for sts\.amazonaws\.com, vault\.example$/,
      },
      'to none of the API server': {
        spec: { audiences: ['https://kubernetes.default.svc'], expirationSeconds: 600 },
        why: /the API server may take it for its own$/,
      },
      'to none of the API server beside a good one': {
        spec: { audiences: ['sts.amazonaws.com', 'https://kubernetes.default.svc'], expirationSeconds: 600 },
        why: /the API server may take it for its own$/,
      },
      'also where it names no audience, which means the API server': { spec: { expirationSeconds: 600 }, why: /denied request/ },
      'to ten minutes': { spec: { audiences: ['sts.amazonaws.com'], expirationSeconds: 601 }, why: /of ten minutes \(600 s\) at most$/ },
      'to ten minutes where it asks for no time, which means an hour': { spec: { audiences: ['sts.amazonaws.com'] }, why: /600 s/ },
    };
    for (const [sentence, { spec, why }] of Object.entries(refused)) {
      test(sentence, async () => {
        const answer = await ask(spec);
        expect(answer).toContain('Error from server (Forbidden)');
        expect(answer).toContain("ValidatingAdmissionPolicy 'irsa-operator-verification'");
        expect(answer).toMatch(why);
      });
    }

    test('and gets what is left', async () =>
      expect(await ask({ audiences: ['sts.amazonaws.com'], expirationSeconds: 600 })).toBe('a token'));

    test('and nobody else is', async () => {
      const path = '/api/v1/namespaces/default/serviceaccounts/default/token';
      const body = { spec: { audiences: ['vault.example'], expirationSeconds: 3600 } };
      expect((await suite.api.call<{ status: { token: string } }>('POST', path, { body })).status.token).not.toBe('');
    });
  });

  describe.concurrent('a proof', () => {
    // Contract: prove-session, prove-three
    test('is three successes over 10 s, with a deny-all session policy, and the pods are restarted when it succeeds', async () => {
      const s = await prepared('proved');
      await s.deployment();
      await s.refused();
      await s.bind({ verification: 'OnChange' });
      const before = await s.conditionIs('Verified', 'Unknown', 'Proving');
      expect(before.message).toMatch(/^STS (is about to be asked|accepted the token \d of 3 times in a row)/);
      const verified = await s.conditionIs('Verified', 'True', 'Proved');
      expect(verified.message).toMatch(/^STS accepted a token of ServiceAccount "app", last proved at \d{4}-/);
      const proofs = proofsOf(s);
      expect(proofs.map(({ code, caller }) => [code, caller])).toEqual(Array(3).fill(['OK', 'anonymous']));
      expect(Number(proofs[2]?.at) - Number(proofs[0]?.at)).toBeGreaterThanOrEqual(10_000);
      for (const { params } of proofs) {
        expect(JSON.parse(params['Policy'] ?? '')).toEqual(DENY_ALL);
        expect(params['DurationSeconds']).toBe('900');
      }
      await s.allReady();
      await s.conditionIs('Ready', 'True');
      expect(proofsOf(s)).toHaveLength(3);
      expect(await tokenRequests(s)).toEqual(expect.arrayContaining(['201', '201', '201']));
    });

    // Contract: trust-may-deny
    test('decides where the trust policy leaves it open, and only then the ServiceAccount is annotated', async () => {
      const s = await prepared('undecided', denyFrom(ELSEWHERE));
      await s.bind({ verification: 'OnChange' });
      await s.conditionIs('Trusted', 'Unknown', 'Undecidable');
      expect(await s.condition('Annotated')).toMatchObject({ status: 'Unknown', reason: 'Waiting' });
      const trusted = await s.conditionIs('Trusted', 'True', 'Proved');
      expect(trusted.message).toMatch(/^STS accepted the token. The trust policy alone leaves it open: .*aws:SourceIp/);
      await s.conditionIs('Ready', 'True');
      expect(s.writes()).toHaveLength(1);
    });

    // Contract: prove-three
    test('that fails decides too, after 60 s, and nothing is annotated', async () => {
      const s = await prepared('denied', denyFrom(HERE));
      await s.bind({ verification: 'OnChange' });
      const trusted = await s.conditionIs('Trusted', 'False', 'TrustConditionKeyUnknown');
      expect(trusted.message).toMatch(
        /^STS refuses a token of "system:serviceaccount:denied:app" .*"AccessDenied: Not authorized to perform sts:AssumeRoleWithWebIdentity"/,
      );
      const proofs = proofsOf(s);
      expect(new Set(proofs.map(({ code }) => code))).toEqual(new Set(['AccessDenied']));
      expect(Number(proofs.at(-1)?.at) - Number(proofs[0]?.at)).toBeGreaterThanOrEqual(60_000);
      expect(await s.condition('Stalled')).toMatchObject({ status: 'True', reason: 'TrustConditionKeyUnknown' });
      expect(await s.annotations()).toBeUndefined();
      await s.eventSays('TrustConditionKeyUnknown');
    });

    // Contract: prove-three
    test('goes on through a refusal that passes', async () => {
      const s = await prepared('mended', denyFrom(HERE));
      await s.bind({ verification: 'OnChange' });
      await until('STS refused', () => proofsOf(s).length >= 2, { timeoutMs: 60_000 });
      const mended = JSON.parse(s.trust().replace(HERE, ELSEWHERE)) as { Statement: object[] };
      s.setTrust(...mended.Statement);
      await s.conditionIs('Trusted', 'True', 'Proved');
      await s.conditionIs('Ready', 'True');
      expect(
        proofsOf(s)
          .slice(-3)
          .map(({ code }) => code),
      ).toEqual(['OK', 'OK', 'OK']);
    });

    // Contract: prove-answers, drift-requested
    test('that fails says what STS said, each answer with its finding, and is made anew when that was mended and a look is requested', async () => {
      // In one test: each takes the minute for which a refusal is not believed, and only so they wait side by side.
      const told = Object.entries(ANSWERS).map(async ([name, { code, status = 400, message, is, and }]) => {
        const s = await prepared(name);
        const kind = new AwsError(code, status, message);
        const fault = suite.testbed.aws.fault({ kind, operation: PROOF, roleName: s.roleName, times: Number.POSITIVE_INFINITY });
        await s.bind({ verification: 'OnChange' });
        const verified = await s.conditionIs('Verified', 'False', is);
        const said = `STS refuses a token of "${s.subject}" for role "${s.roleArn}" with "${code.replace('Exception', '')}: ${message}". `;
        expect(verified.message.startsWith(said), verified.message).toBe(true);
        expect(verified.message).toContain(and);
        await s.conditionIs('Ready', 'False', is);
        await s.eventSays(is);
        fault.end();
        await s.lookAgain();
        await s.conditionIs('Verified', 'True', 'Proved');
        await s.conditionIs('Ready', 'True');
      });
      await Promise.all(told);
    });

    // Contract: prove-opt-in
    test('is not made where the grant does not allow it, which the condition says and nothing waits for', async () => {
      const s = await prepared('forbidden');
      await s.bind({ verification: 'Periodic' });
      const verified = await s.conditionIs('Verified', 'Unknown', 'VerificationNotGranted');
      expect(verified.message).toBe(
        'spec.verification is "Periodic", but IrsaGrant "unproved" does not say allowVerification: true. Nothing is proved',
      );
      await s.conditionIs('Ready', 'True');
      expect([proofsOf(s), await tokenRequests(s)]).toEqual([[], []]);
    });

    // Contract: prove-opt-in
    test('is not made before the role has the tags of the grant that allows it, whatever another grant covers', async () => {
      const s = await prepared('untagged');
      await s.bind({ verification: 'OnChange' });
      const { message } = await s.conditionIs('Verified', 'Unknown', 'VerificationNotGranted');
      expect(message).toBe(
        'spec.verification is "OnChange", but IrsaGrant "unproved" does not say allowVerification: true. Nothing is proved',
      );
      await s.conditionIs('Ready', 'True');
      expect([proofsOf(s), await tokenRequests(s)]).toEqual([[], []]);
      s.setTags({ proof: 'yes' });
      await s.lookAgain();
      await s.conditionIs('Verified', 'True', 'Proved');
    });

    // Contract: annotate-awaiting
    test('waits for a ServiceAccount that comes later, and Ready does not', async () => {
      const s = await suite.scene('late');
      s.role();
      await s.bind({ verification: 'OnChange' });
      await s.conditionIs('Ready', 'True', 'AwaitingServiceAccount');
      expect(await s.condition('Verified')).toMatchObject({ status: 'Unknown', reason: 'AwaitingServiceAccount' });
      await s.serviceAccount();
      await s.conditionIs('Verified', 'True', 'Proved');
    });

    // Contract: prove-confined
    test('for an audience that the policy does not let pass says so, and Ready does not wait', async () => {
      suite.testbed.aws.account().provider.put({ issuer: suite.testbed.issuer, clientIds: ['sts.amazonaws.com', 'vault.example'] });
      const s = await prepared('foreign');
      await s.bind({ verification: 'OnChange', audience: 'vault.example' });
      const verified = await s.conditionIs('Verified', 'Unknown', 'VerificationNotInstalled');
      expect(verified.message).toContain('irsa-operator may ask for tokens with one audience of sts.amazonaws.com, not for vault.example');
      await s.conditionIs('Ready', 'True');
    });

    // Contract: rule-leave-alone
    test('is not made for a binding that only looks, which has no such condition', async () => {
      const s = await prepared('watching');
      await s.bind({ verification: 'OnChange', mode: 'Observe' });
      await s.conditionIs('Trusted', 'False', 'TrustNoWebIdentityStatement');
      expect(await s.condition('Verified')).toBeUndefined();
      expect([proofsOf(s), await tokenRequests(s)]).toEqual([[], []]);
    });
  });

  // Contract: prove-modes
  test('a restart of the operator proves nothing anew', async () => {
    const proofs = () =>
      suite.testbed.aws.journal.filter(
        ({ params }) => params['RoleArn']?.endsWith('/role-of-proved') && SESSION.test(params['RoleSessionName'] ?? ''),
      ).length;
    const before = proofs();
    const binding = pathOf('irsabindings', { namespace: 'proved', name: 'app' });
    const verified = async () => conditionOf(await suite.api.call<Binding>('GET', binding), 'Verified');
    const standing = await verified();
    await suite.restart();
    await until(
      'the operator leads again',
      async () => (await suite.metrics()).includes('leader_election_master_status{name="irsa-operator"} 1'),
      { timeoutMs: 60_000 },
    );
    await suite.secondLook();
    expect(await verified()).toEqual(standing);
    expect(standing).toMatchObject({ status: 'True' });
    expect(proofs()).toBe(before);
  });

  // Contract: prove-session
  test('no token and no credentials are in logs, metrics, Events or status', async () => {
    const logs = readdirSync(suite.testbed.folder).filter((name) => name.startsWith('irsa-operator-') && name.endsWith('.log'));
    expect(logs.length).toBeGreaterThan(0);
    const outputs = [
      ...logs.map((name) => readFileSync(join(suite.testbed.folder, name), 'utf8')),
      await suite.metrics(),
      JSON.stringify(await suite.api.call('GET', pathOf('events'))),
      JSON.stringify(await suite.api.call('GET', pathOf('irsabindings'))),
    ];
    const secrets = /eyJ[\w-]{10,}\.[\w-]{10,}|\bASIA[A-Z0-9]{12,}|SessionToken|SecretAccessKey/;
    expect(outputs.map((text) => secrets.exec(text)?.[0])).toEqual(outputs.map(() => undefined));
    // And it would have been seen: the expression finds both kinds in what STS and the API server really hand out.
    const { status } = await suite.api.call<{ status: { token: string } }>(
      'POST',
      '/api/v1/namespaces/default/serviceaccounts/default/token',
      {
        body: { spec: {} },
      },
    );
    expect(status.token).toMatch(secrets);
    expect(suite.testbed.aws.env({ roleName: 'irsa-operator' })['AWS_ACCESS_KEY_ID']).toMatch(secrets);
  });
});
