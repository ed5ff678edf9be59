import { readdirSync, readFileSync } from 'node:fs';
import { fileURLToPath } from 'node:url';
import { evaluateTrust } from '@irsa-operator/testbed/aws';
import fc from 'fast-check';
import { describe, expect, test, vi } from 'vitest';
import { providerArnFor } from '../../src/api/arn.ts';
import { issuerHostPath } from '../../src/api/issuer.ts';
import { isProblem } from '../../src/api/problem.ts';
import type { Subject, TokenSubject } from '../../src/api/subject.ts';
import { parseDocument } from '../../src/trust/document/document.ts';
import { evaluate, type TrustVerdict } from '../../src/trust/evaluate/evaluate.ts';
import { planTrust } from '../../src/trust/plan.ts';
import { AUDIENCES, change, policyText, SUBJECTS } from './arbitraries.ts';
import { ACTION, ALB, AUDIENCE, desired, HOST, ISSUER, NOW, PROVIDER, REQUEST, ROLE, read } from './cluster.ts';
import { EVERYBODY } from './invariants.ts';

/** fast-check prints the seed of a failure; `SEED=` replays it. */
const SEED = process.env['SEED'];
fc.configureGlobal({ numRuns: 2_000, ...(SEED === undefined ? {} : { seed: Number(SEED) }) });
/** Making random documents is work: on a busy machine it takes longer than vitest gives a test. */
vi.setConfig({ testTimeout: 60_000 });

const TAGS = new Map([['team', 'network']]);

/** Everything about a request that the operator cannot know beforehand: absent, or one of these. */
const circumstances = fc.record({
  'aws:SourceIp': fc.constantFrom(undefined, '203.0.113.7', '198.51.100.1'),
  'aws:SourceVpc': fc.constantFrom(undefined, 'vpc-0a1b2c3d', 'vpc-9'),
  'sts:RoleSessionName': fc.constantFrom('x', 'network'),
  'aws:FederatedProvider': fc.constantFrom(undefined, PROVIDER),
  [`${HOST}:jti`]: fc.constantFrom(undefined, 'x'),
});

describe("evaluation and the AWS double's, which was written without a look at it", () => {
  // Contract: trust-as-sts
  test('agree on every policy, whatever is not known beforehand', () => {
    fc.assert(
      fc.property(
        policyText,
        fc.constantFrom(...SUBJECTS),
        fc.constantFrom(...AUDIENCES),
        circumstances,
        (text, subject, audience, unseen) => {
          const verdict = evaluate(read(text), { ...REQUEST, subject, audience, roleTags: TAGS });
          const decision = evaluateTrust({ document: text, request: completed(subject, audience, unseen) });
          expect(decision, text).toSatisfy((one: string) => agrees(verdict, one));
        },
      ),
    );
  });

  test('agree on every policy of documented parts, on which nothing is unknown', () => {
    fc.assert(
      fc.property(documentedPolicy, fc.constantFrom(...SUBJECTS), fc.constantFrom(...AUDIENCES), (text, subject, audience) => {
        const verdict = evaluate(read(text), { ...REQUEST, subject, audience });
        const decision = evaluateTrust({ document: text, request: completed(subject, audience, {}) });
        const words = verdict.kind === 'denied' ? (verdict.explicit ? 'explicitDeny' : 'implicitDeny') : verdict.kind;
        expect(words, text).toBe(decision);
      }),
    );
  });

  for (const [name, { about, text }] of corpus()) {
    test(`agree on ${name}: ${about}`, () => {
      const document = parseDocument(text);
      if (isProblem(document)) return;
      const verdict = evaluate(document, { ...REQUEST, roleTags: TAGS });
      const decision = evaluateTrust({ document: text, request: completed(ALB, AUDIENCE, {}) });
      expect(decision).toSatisfy((one: string) => agrees(verdict, one), `${verdict.kind}, where the double says ${decision}`);
    });
  }

  // Contract: trust-no-wildcard, rule-subjects
  test("agree that a plan lets in the wanted, and nobody else: also by the double's judgement", () => {
    fc.assert(
      fc.property(policyText, change, (text, asked) => {
        const plan = planTrust(read(text), desired({ ...asked, quota: 100_000, roleTags: TAGS }));
        const after = plan.document ?? text;
        for (const { subject, audience, state } of plan.verdicts)
          if (state === 'allowed') expect(evaluateTrust({ document: after, request: completed(subject, audience, {}) })).toBe('allowed');
        for (const { issuer, subject, audience } of EVERYBODY) {
          const request = completed(subject, audience, {}, issuer);
          const [was, is] = [text, after].map((document) => evaluateTrust({ document, request }) === 'allowed');
          const among = (list: readonly TokenSubject[]) =>
            issuer === ISSUER && list.some((one) => one.subject === subject && one.audience === audience);
          if (is && !was) expect(among(asked.wanted), `${subject} gained`).toBe(true);
          if (was && !is) expect(among(asked.released), `${subject} lost`).toBe(true);
        }
      }),
    );
  });
});

/** "Unknown" agrees with any decision; a denial without a statement that denies too, where one of the Denies could not be judged. */
function agrees(verdict: TrustVerdict, decision: string): boolean {
  if (verdict.kind === 'unknown') return true;
  if (verdict.kind === 'denied' && !verdict.explicit) return decision !== 'allowed';
  return decision === (verdict.kind === 'allowed' ? 'allowed' : 'explicitDeny');
}

/** Every document of the corpus, by its file. */
function corpus(): [string, { about: string; text: string }][] {
  const folder = fileURLToPath(new URL('../golden/trust/', import.meta.url));
  return readdirSync(folder).map((name) => {
    const { about, policy, text = JSON.stringify(policy) } = JSON.parse(readFileSync(`${folder}${name}`, 'utf8'));
    return [name, { about, text }];
  });
}

/** Statements of which everything is documented and known: federated principals, and string operators on this cluster's claims. */
const documentedPolicy = fc
  .array(
    fc.record({
      Effect: fc.constantFrom('Allow', 'Allow', 'Deny'),
      Principal: fc.constantFrom(
        { Federated: PROVIDER },
        { Federated: [PROVIDER.replace('us-east-1', 'us-west-2'), PROVIDER] },
        { Service: 'ec2.amazonaws.com' },
      ),
      Action: fc.constantFrom<string | string[]>(ACTION, 'sts:AssumeRole', ['sts:TagSession', ACTION], 'sts:*'),
      Condition: fc
        .dictionary(
          fc
            .tuple(
              fc.constantFrom('', '', 'ForAllValues:', 'ForAnyValue:'),
              fc.constantFrom(
                'StringEquals',
                'StringNotEquals',
                'StringLike',
                'StringNotLike',
                'StringEqualsIgnoreCase',
                'StringNotEqualsIgnoreCase',
              ),
              fc.constantFrom('', '', 'IfExists'),
            )
            .map((parts) => parts.join('')),
          fc.dictionary(
            fc.constantFrom(`${HOST}:sub`, `${HOST}:aud`),
            fc.array(fc.constantFrom(...SUBJECTS, ...AUDIENCES, 'system:serviceaccount:*:app', 'SYSTEM:serviceaccount:team-?:app', '*'), {
              minLength: 1,
              maxLength: 3,
            }),
            { maxKeys: 2 },
          ),
          { maxKeys: 2 },
        )
        .map((block) => ({ ...block })),
    }),
    { maxLength: 4 },
  )
  .map((statements) => JSON.stringify({ Version: '2012-10-17', Statement: statements }));

function completed(subject: Subject, audience: string, unseen: Readonly<Record<string, string | undefined>>, issuer = ISSUER) {
  const host = issuerHostPath(issuer);
  const known = {
    [`${host}:sub`]: subject,
    [`${host}:aud`]: audience,
    'aws:CurrentTime': new Date(NOW).toISOString(),
    'aws:EpochTime': String(NOW / 1000),
    'aws:SecureTransport': 'true',
    'aws:ResourceTag/team': 'network',
  };
  const seen = Object.entries(unseen).flatMap(([key, value]) => (value === undefined ? [] : [[key, value] as const]));
  return {
    action: ACTION,
    principal: { kind: 'Federated' as const, names: [providerArnFor(ROLE, issuer)] },
    context: { ...known, ...Object.fromEntries(seen) },
  };
}
