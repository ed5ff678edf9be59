import { describe, expect, test } from 'vitest';
import { ALB, AUDIENCE, allow, desired, policy, ROLE, read, valid } from '../../test/trust/cluster.ts';
import { providerArnFor } from '../api/arn.ts';
import { type Issuer, issuerHostPath, parseIssuer } from '../api/issuer.ts';
import { sidFor, writeOwn } from './document/own-statement.ts';
import { nearlyNames } from './evaluate/near.ts';
import { kindOfKey } from './evaluate/request.ts';
import { planTrust } from './plan.ts';

/** An issuer is taken exactly as it is: with a slash at its end it is another issuer than without. AKS and Auth0 have such, IAM and STS keep the slash. */
const PLAIN = 'https://eastus.oic.prod-aks.azure.com/00000000-0000-0000-0000-000000000001/00000000-0000-0000-0000-000000000002';
const slashed = valid(parseIssuer(`${PLAIN}/`));
const plain = valid(parseIssuer(PLAIN));
const root = valid(parseIssuer('https://auth.mozilla.auth0.com/'));
const HOST = issuerHostPath(plain);

/** One statement with this provider and these keys, as a cluster with that issuer judges it. */
function outcome(issuer: Issuer, host: string, keys = host, more: object = {}) {
  const Principal = { Federated: `arn:aws:iam::111122223333:oidc-provider/${host}` };
  const statement = allow({ StringEquals: { [`${keys}:sub`]: ALB, [`${keys}:aud`]: AUDIENCE, ...more } }, { Principal });
  const plan = planTrust(read(policy(statement)), desired({ issuer, provider: providerArnFor(ROLE, issuer) }));
  const [verdict] = plan.verdicts;
  const codes = (verdict?.findings ?? []).map(({ code }) => code);
  if (plan.document !== undefined) return 'writes';
  return verdict?.state === 'allowed' ? `allowed: ${verdict.managedBy}` : `nothing: ${codes[0]}`;
}

// Contract: cluster-exact
describe('a statement of others', () => {
  const cases: Record<string, readonly [found: string, wanted: string]> = {
    'for the issuer as it is lets its tokens in': [outcome(slashed, `${HOST}/`), 'allowed: Others'],
    'for an issuer that is a host and a slash lets its tokens in': [outcome(root, 'auth.mozilla.auth0.com/'), 'allowed: Others'],
    'for the issuer without its slash is for another issuer': [outcome(slashed, HOST), 'writes'],
    'for the issuer with a slash too many is for another issuer': [outcome(slashed, `${HOST}//`), 'writes'],
    'with a slash that the issuer has not is for another issuer': [outcome(plain, `${HOST}/`), 'writes'],
    'with the slash in the provider alone is a mistake': [outcome(slashed, `${HOST}/`, HOST), 'writes'],
    'with the slash in the keys alone is a mistake': [outcome(slashed, HOST, `${HOST}/`), 'writes'],
  };
  for (const [sentence, [found, wanted]] of Object.entries(cases)) test(sentence, () => expect(found).toBe(wanted));

  const LIMIT = { 'aws:SourceVpc': 'vpc-1' };
  const limited: Record<string, string> = {
    'as it is': outcome(slashed, `${HOST}/`, `${HOST}/`, LIMIT),
    'without its slash in the keys': outcome(slashed, `${HOST}/`, HOST, LIMIT),
    'without its slash in the provider': outcome(slashed, HOST, `${HOST}/`, LIMIT),
    'with a slash that it has not': outcome(plain, `${HOST}/`, `${HOST}/`, LIMIT),
    'with a slash too many': outcome(slashed, `${HOST}//`, `${HOST}//`, LIMIT),
  };
  for (const [how, found] of Object.entries(limited))
    test(`that is limited otherwise is its owner's will, the issuer ${how}`, () => expect(found).toBe('nothing: TrustRestrictedByOwner'));
});

// Contract: cluster-exact
describe('our statement', () => {
  const provider = providerArnFor(ROLE, slashed);
  test('has the slash in its provider and in its keys', () => {
    expect(provider).toBe(`arn:aws:iam::111122223333:oidc-provider/${HOST}/`);
    expect(JSON.parse(writeOwn({ issuer: slashed, provider }, AUDIENCE, [ALB]))).toMatchObject({
      Principal: { Federated: provider },
      Condition: { StringEquals: { [`${HOST}/:aud`]: AUDIENCE, [`${HOST}/:sub`]: [ALB] } },
    });
  });
  test('has a Sid of its own for the issuer with the slash and for the one without', () => {
    expect(sidFor(slashed, AUDIENCE)).not.toBe(sidFor(plain, AUDIENCE));
  });
  test('is written, found again, and then left as it is', () => {
    const want = desired({ issuer: slashed, provider });
    const written = planTrust(read(policy()), want).document ?? '';
    expect(planTrust(read(written), want)).toMatchObject({
      document: undefined,
      verdicts: [{ state: 'allowed', managedBy: 'Operator', findings: [] }],
    });
  });
});

describe('a condition key', () => {
  const cases: Record<string, readonly [issuer: Issuer, key: string, kind: string]> = {
    'with the slash is of this issuer': [slashed, `${HOST}/:sub`, 'subject'],
    'with the slash in another case is of this issuer': [slashed, `${HOST.toUpperCase()}/:AUD`, 'audience'],
    'with the slash and another claim is of this issuer': [slashed, `${HOST}/:azp`, 'claim'],
    'of a host and a slash is of this issuer': [root, 'auth.mozilla.auth0.com/:aud', 'audience'],
    'without the slash is of another': [slashed, `${HOST}:sub`, 'otherProvider'],
    'with two slashes is none': [slashed, `${HOST}//:sub`, 'malformed'],
    'with the slash and without a claim is none': [slashed, `${HOST}/:`, 'malformed'],
    'of another issuer may have a slash at its end': [plain, 'auth.mozilla.auth0.com/:aud', 'otherProvider'],
    'of another issuer may have a slash, also where this one has': [slashed, 'auth.mozilla.auth0.com/:aud', 'otherProvider'],
    'with a slash that this issuer has not is none': [plain, `${HOST}/:sub`, 'malformed'],
  };
  for (const [sentence, [issuer, key, kind]] of Object.entries(cases)) test(sentence, () => expect(kindOfKey(key, issuer)).toBe(kind));
});

test('with the slash, without, with two, and cut off it is nearly this issuer; another is not', () => {
  const near = [`${HOST}/`, HOST, `${HOST}//`, `https://${HOST}/`, HOST.slice(0, -3), HOST.replace('eastus', '<REGION>')];
  expect(near.map((name) => nearlyNames(name, slashed))).toEqual(near.map(() => true));
  const others = ['auth.mozilla.auth0.com/', `${HOST}/x`, `${HOST.slice(0, -1)}3/`];
  expect(others.map((name) => nearlyNames(name, slashed))).toEqual(others.map(() => false));
});

describe('the words for what is wrong', () => {
  const messages = (issuer: Issuer, Federated: string, key: string) => {
    const statement = allow({ StringEquals: { [key]: ALB } }, { Principal: { Federated } });
    // Without space for a statement of ours the findings tell why the one that stands does not do.
    const plan = planTrust(read(policy(statement)), desired({ issuer, provider: providerArnFor(ROLE, issuer), quota: 1 }));
    return (plan.verdicts[0]?.findings ?? []).map(({ message }) => message).join('\n');
  };
  const arn = (host: string) => `arn:aws:iam::111122223333:oidc-provider/${host}`;
  const cases: Record<string, readonly [found: string, words: string]> = {
    'name the slash that is missing in the provider': [messages(slashed, arn(HOST), `${HOST}/:sub`), 'no slash at its end'],
    'name the slash that is too many in the provider': [messages(slashed, arn(`${HOST}//`), `${HOST}/:sub`), 'an extra slash at its end'],
    'name the slash that is missing in a key': [
      messages(slashed, arn(`${HOST}/`), `${HOST}:sub`),
      "this cluster's issuer without the slash",
    ],
    'name the slash that is too many in a key': [messages(slashed, arn(`${HOST}/`), `${HOST}//:sub`), 'a slash too many before the colon'],
    'name the claim that is missing': [messages(slashed, arn(`${HOST}/`), `${HOST}/:`), 'no claim after the colon'],
    'name the slash that the issuer has not': [messages(plain, arn(HOST), `${HOST}/:sub`), 'a slash before the colon'],
  };
  for (const [sentence, [found, words]] of Object.entries(cases)) test(sentence, () => expect(found).toContain(words));
});
