import fc from 'fast-check';
import { describe, expect, test, vi } from 'vitest';
import { change, mutatedText, policyText } from '../../test/trust/arbitraries.ts';
import { desired, OTHER_ISSUER, REQUEST, ROLE, read } from '../../test/trust/cluster.ts';
import { asStored } from '../../test/trust/iam-like.ts';
import { bypassed, foreignChange, unexplained, wrongfulChange } from '../../test/trust/invariants.ts';
import { providerArnFor } from '../api/arn.ts';
import { isProblem } from '../api/problem.ts';
import { subjectOf } from '../api/subject.ts';
import { diagnose } from './diagnose/diagnose.ts';
import { decodeDocument, parseDocument, printDocument, statementTexts } from './document/document.ts';
import { compact, parseJson } from './document/json.ts';
import { allOwn, NOBODY } from './document/own-statement.ts';
import { evaluate } from './evaluate/evaluate.ts';
import { type DesiredStatement, planTrust } from './plan.ts';

/** fast-check prints the seed of a failure; `SEED=` replays it. */
const SEED = process.env['SEED'];
fc.configureGlobal({ numRuns: 400, ...(SEED === undefined ? {} : { seed: Number(SEED) }) });
/** Making random documents is work: on a busy machine it takes longer than vitest gives a test. */
vi.setConfig({ testTimeout: 60_000 });

/** Small enough that some plans do not fit, large enough that most do. */
const quota = fc.constantFrom(600, 1200, 100_000);

describe('reading and printing', () => {
  test('prints what it read', () => {
    fc.assert(fc.property(policyText, (text) => void expect(printDocument(read(text))).toBe(text)));
  });

  test('reads what JSON.parse reads, and nothing else', () => {
    const readable = (text: string) => {
      try {
        return JSON.stringify(JSON.parse(text)).isWellFormed() && !/\\ud[89a-f]/i.test(text) && text.isWellFormed();
      } catch {
        return false;
      }
    };
    fc.assert(
      fc.property(
        fc.oneof(fc.json({ maxDepth: 4 }), mutatedText),
        (text) => void expect(!isProblem(parseJson(text)), text).toBe(readable(text)),
      ),
    );
  });

  test('drops white space between tokens and nothing else', () => {
    fc.assert(
      fc.property(
        fc.jsonValue({ maxDepth: 4 }),
        fc.constantFrom(1, 2, '\t', '\r\n '),
        (value, indent) => void expect(compact(JSON.stringify(value, undefined, indent))).toBe(JSON.stringify(value)),
      ),
    );
  });

  test('decodes what IAM encodes', () => {
    fc.assert(
      fc.property(
        policyText,
        (text) => void expect([decodeDocument(encodeURIComponent(text)), decodeDocument(text)]).toEqual([text, text]),
      ),
    );
  });

  test('never throws, whatever the text', () => {
    fc.assert(
      fc.property(fc.oneof(mutatedText, fc.string({ unit: 'binary' })), change, (text, { wanted, released }) => {
        const document = parseDocument(text);
        decodeDocument(text);
        planTrust(document, desired({ wanted, released }));
        diagnose(document, REQUEST, { role: ROLE });
        if (!isProblem(document)) evaluate(document, REQUEST);
      }),
    );
  });
});

describe('planning', () => {
  const anyPlan = (check: (text: string, asked: DesiredStatement) => void) =>
    fc.assert(fc.property(policyText, change, quota, (text, asked, characters) => check(text, desired({ ...asked, quota: characters }))));

  // Contract: trust-fixpoint
  test('has nothing to do after its own plan', () => {
    anyPlan((text, asked) => {
      const plan = planTrust(read(text), asked);
      if (plan.document === undefined) return;
      const again = planTrust(read(plan.document), asked);
      expect({ ...again, document: again.document }).toEqual({ ...plan, document: undefined, findings: again.findings });
    });
  });

  // Contract: trust-by-meaning
  test('has nothing to do after IAM has stored its plan in its own order', () => {
    fc.assert(
      fc.property(policyText, change, fc.boolean(), (text, asked, collapse) => {
        const plan = planTrust(read(text), desired({ ...asked, quota: 100_000 }));
        if (plan.document === undefined) return;
        expect(planTrust(read(asStored(plan.document, collapse)), desired({ ...asked, quota: 100_000 })).document).toBeUndefined();
      }),
    );
  });

  // Contract: trust-byte-for-byte
  test('leaves every foreign statement as it is', () =>
    anyPlan((text, asked) => void expect(foreignChange(read(text), planTrust(read(text), asked), asked)).toBeUndefined()));

  // Contract: rule-subjects
  test('gives to the wanted only, and takes from the released only', () => {
    anyPlan((text, asked) => void expect(wrongfulChange(read(text), planTrust(read(text), asked), asked)).toBeUndefined());
  });

  // Contract: trust-restricted-principal
  test('lets nobody in past the limit of an owner', () =>
    anyPlan((text, asked) => void expect(bypassed(read(text), planTrust(read(text), asked), asked)).toBeUndefined()));

  test('lets the wanted in, or says why not', () =>
    anyPlan((text, asked) => void expect(unexplained(planTrust(read(text), asked))).toBeUndefined()));

  test('never exceeds the quota by what it adds', () => {
    anyPlan((text, asked) => {
      const plan = planTrust(read(text), asked);
      const before = compact(text).length;
      if (plan.document !== undefined) expect(plan.document.length).toBeLessThanOrEqual(Math.max(asked.quota, before));
      expect(plan.size).toEqual({ characters: (plan.document ?? compact(text)).length, quota: asked.quota });
    });
  });

  test('makes our subjects (standing + wanted) - released, but for those it refuses or need not add', () => {
    anyPlan((text, asked) => {
      const plan = planTrust(read(text), asked);
      if (plan.findings.some(({ code }) => code === 'TrustSidTaken')) return;
      const standing = ownSubjects(text, asked);
      const after = ownSubjects(plan.document ?? text, asked);
      const released = new Set(asked.released.map(inWords));
      const upperBound = standing.union(new Set(asked.wanted.map(inWords))).difference(released);
      expect([...after.difference(upperBound)]).toEqual([]);
      expect([...standing.difference(released).difference(after)]).toEqual([]);
      const managed = plan.verdicts.filter((verdict) => verdict.state === 'allowed' && verdict.managedBy === 'Operator');
      expect(managed.map(inWords).filter((one) => !after.has(one))).toEqual([]);
    });
  });

  test("commutes with another cluster's", () => {
    fc.assert(
      fc.property(policyText, change, change, (text, here, there) => {
        const ourWish = desired({ ...here, quota: 100_000 });
        const theirWish = { ...ourWish, ...there, issuer: OTHER_ISSUER, provider: providerArnFor(ROLE, OTHER_ISSUER) };
        const one = statementsAfter(statementsAfter(text, ourWish), theirWish);
        const other = statementsAfter(statementsAfter(text, theirWish), ourWish);
        expect(usable(one)).toEqual(usable(other));
      }),
    );
  });
});

function statementsAfter(text: string, asked: DesiredStatement): string {
  return planTrust(read(text), asked).document ?? compact(text);
}

/** As a set; without those that nobody can use, of which it depends on the order whose is the last. */
function usable(text: string): readonly string[] {
  return statementTexts(read(text))
    .filter((statement) => !statement.includes(`["${NOBODY}"]`) && !statement.includes(`"${NOBODY}"}`))
    .toSorted();
}

function ownSubjects(text: string, { issuer, provider }: DesiredStatement): Set<string> {
  return new Set(
    allOwn(read(text), { issuer, provider }).flatMap(({ audience, subjects }) => subjects.map((subject) => inWords({ subject, audience }))),
  );
}

function inWords({ subject, audience }: { readonly subject: string; readonly audience: string }): string {
  return `${subject} for ${audience}`;
}

describe('a subject for which there is no room', () => {
  const name = fc.stringMatching(/^[a-z0-9]([a-z0-9.-]{0,20}[a-z0-9])?$/);
  const wanted = fc.uniqueArray(fc.record({ name, audience: fc.constantFrom('sts.amazonaws.com', 'vault'), absent: fc.boolean() }), {
    selector: (one) => one.name,
    minLength: 1,
    maxLength: 30,
  });

  // Contract: trust-quota
  test('is told the length that the document would have with it, to the character', () => {
    let told = 0;
    fc.assert(
      fc.property(policyText, wanted, fc.constantFrom(700, 1000, 1400), (text, some, most) => {
        const document = read(text);
        const subjects = some.map(({ name: account, audience, absent }) => ({
          subject: subjectOf('shop', account),
          audience,
          ...(absent && { absent }),
        }));
        const { verdicts, document: sent } = planTrust(document, desired({ wanted: subjects, quota: most }));
        const refusals = verdicts.map(({ findings }) =>
          findings.find(({ code }) => code === 'TrustPolicyTooLarge' || code === 'ServiceAccountMissing'),
        );
        const admitted = subjects.filter((_, at) => refusals[at] === undefined);
        for (const [at, refusal] of refusals.entries()) {
          const one = subjects[at];
          if (refusal === undefined || one === undefined) continue;
          told += 1;
          // All that fit, and this one: where nothing speaks against a length.
          const { size } = planTrust(document, desired({ wanted: [...admitted, one], quota: 1_000_000 }));
          expect(refusal.message).toContain(`would have ${size.characters} `);
          expect(size.characters).toBeGreaterThan(one.absent ? most * 0.75 : most);
        }
        if (sent !== undefined) expect(sent.length).toBeLessThanOrEqual(most);
      }),
    );
    expect(told).toBeGreaterThan(50);
  });
});
