import fc from 'fast-check';
import { describe, expect, test, vi } from 'vitest';
import type { Subject } from '../../src/api/subject.ts';
import { evaluate } from '../../src/trust/evaluate.ts';
import { evaluateTrust } from '../testbed/aws/policy/evaluate.ts';
import { AUDIENCES, policyText, SUBJECTS } from './arbitraries.ts';
import { ACTION, HOST, NOW, PROVIDER, REQUEST, read } from './cluster.ts';

/** fast-check prints the seed of a failure; `SEED=` replays it. */
const SEED = process.env['SEED'];
fc.configureGlobal({ numRuns: 2_000, ...(SEED === undefined ? {} : { seed: Number(SEED) }) });
/** Making random documents is work: on a busy machine it takes longer than vitest gives a test. */
vi.setConfig({ testTimeout: 60_000 });

/** Everything about a request that the operator cannot know beforehand: absent, or one of these. */
const circumstances = fc.record({
  'aws:SourceIp': fc.constantFrom(undefined, '203.0.113.7', '198.51.100.1'),
  'aws:SourceVpc': fc.constantFrom(undefined, 'vpc-0a1b2c3d', 'vpc-9'),
  'sts:RoleSessionName': fc.constantFrom('x', 'network'),
  'aws:FederatedProvider': fc.constantFrom(undefined, PROVIDER),
  [`${HOST}:jti`]: fc.constantFrom(undefined, 'x'),
});

describe("evaluation and the AWS double's, which was written without a look at it", () => {
  test('agree on every policy, whatever is not known beforehand', () => {
    fc.assert(
      fc.property(
        policyText,
        fc.constantFrom(...SUBJECTS),
        fc.constantFrom(...AUDIENCES),
        circumstances,
        (text, subject, audience, unseen) => {
          const verdict = evaluate(read(text), { ...REQUEST, subject, audience, roleTags: new Map([['team', 'network']]) });
          const decision = evaluateTrust({ document: text, request: completed(subject, audience, unseen) });
          // "Unknown" is an answer to less than what the server knows: any decision agrees with it. So is a denial without a statement that
          // denies, where one of the Denies could not be judged.
          if (verdict.kind === 'unknown') return;
          if (verdict.kind === 'denied' && !verdict.explicit) expect(decision).not.toBe('allowed');
          else expect(decision).toBe(verdict.kind === 'allowed' ? 'allowed' : 'explicitDeny');
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
});

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

function completed(subject: Subject, audience: string, unseen: Readonly<Record<string, string | undefined>>) {
  const known = {
    [`${HOST}:sub`]: subject,
    [`${HOST}:aud`]: audience,
    'aws:CurrentTime': new Date(NOW).toISOString(),
    'aws:EpochTime': String(NOW / 1000),
    'aws:SecureTransport': 'true',
    'aws:ResourceTag/team': 'network',
  };
  const seen = Object.entries(unseen).flatMap(([key, value]) => (value === undefined ? [] : [[key, value] as const]));
  return {
    action: ACTION,
    principal: { kind: 'Federated' as const, names: [PROVIDER] },
    context: { ...known, ...Object.fromEntries(seen) },
  };
}
