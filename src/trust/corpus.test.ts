import { readdirSync, readFileSync, writeFileSync } from 'node:fs';
import { fileURLToPath } from 'node:url';
import { describe, expect, test } from 'vitest';
import { desired, PROVIDER, REQUEST, ROLE } from '../../test/trust/cluster.ts';
import { FINDINGS, type Finding, type FindingCode } from '../api/finding.ts';
import { FIXED_BY_OPERATOR } from '../api/fixed-by-operator.ts';
import { isProblem } from '../api/problem.ts';
import { diagnose } from './diagnose/diagnose.ts';
import { parseDocument, statementTexts } from './document/document.ts';
import { compact } from './document/json.ts';
import { evaluate, type TrustVerdict, type WebIdentity } from './evaluate/evaluate.ts';
import { planTrust, type TrustPlan } from './plan.ts';

/**
 * Documents as they are met in the wild, each a file: what STS would say, what a person would read, and what the plan does.
 * `UPDATE_GOLDEN=1` writes what is found into the files; read the difference as prose before you keep it.
 */
type Messages = readonly { readonly code: string; readonly message: string }[];

interface Case {
  readonly about: string;
  readonly request?: { readonly audience?: string; readonly quota?: number; readonly roleTags?: Readonly<Record<string, string>> };
  /** The document; `text` where it is not JSON, or where JSON.parse would lose something. */
  readonly policy?: unknown;
  readonly text?: string;
  readonly verdict?: string;
  readonly findings?: Messages;
  readonly plan?: { readonly writes: boolean; readonly outcome: string; readonly findings: Messages };
}

const FOLDER = fileURLToPath(new URL('../../test/golden/trust/', import.meta.url));
const files = readdirSync(FOLDER).filter((name) => name.endsWith('.json'));
const cases = new Map(files.map((name): [string, Case] => [name, JSON.parse(readFileSync(`${FOLDER}${name}`, 'utf8'))]));

describe('the corpus', () => {
  test('has a document for every way in which a trust policy fails', () => {
    // What IAM says to a write is no property of a document, nor are the grants.
    const elsewhere = ['TrustWriteRejected', 'TrustRevocationBlocked', 'TrustUngranted'];
    const codes = Object.keys(FINDINGS).filter((code) => code.startsWith('Trust') && !elsewhere.includes(code));
    const covered = new Set(
      [...cases.values()].flatMap(({ findings = [], plan }) => [
        ...findings.map(({ code }) => code),
        ...(plan?.findings ?? []).map(({ code }) => code),
      ]),
    );
    expect(codes.filter((code) => !covered.has(code))).toEqual([]);
  });

  test('shows which mistakes our own statement fixes, as the index of the findings says', () => {
    const causes = Map.groupBy(cases.values(), ({ findings }) => findings?.[0]?.code as FindingCode | undefined);
    const fixed = [...causes].flatMap(([code, of]) =>
      code !== undefined && of.some(({ plan }) => plan?.writes && plan.outcome === 'allowed (Operator)') ? [code] : [],
    );
    const said = [...causes.keys()].filter((code) => code !== undefined && FIXED_BY_OPERATOR[code].startsWith('yes'));
    expect(fixed.toSorted()).toEqual(said.toSorted());
  });

  for (const [name, recorded] of cases) {
    test(`${name}: ${recorded.about}`, () => {
      const found = judge(recorded);
      if (process.env['UPDATE_GOLDEN'] === '1')
        writeFileSync(`${FOLDER}${name}`, `${JSON.stringify({ ...recorded, ...found }, null, 2)}\n`);
      else expect(found).toEqual({ verdict: recorded.verdict, findings: recorded.findings, plan: recorded.plan });
    });
  }
});

function judge({ request: change, policy, text = JSON.stringify(policy) }: Case): Pick<Case, 'verdict' | 'findings' | 'plan'> {
  const roleTags = change?.roleTags && new Map(Object.entries(change.roleTags));
  const audience = change?.audience ?? REQUEST.audience;
  const request: WebIdentity = { ...REQUEST, audience, ...(roleTags ? { roleTags } : {}) };
  const document = parseDocument(text);
  const wanted = [{ subject: REQUEST.subject, audience }];
  const plan = planTrust(document, desired({ wanted, quota: change?.quota ?? 2048, ...(roleTags ? { roleTags } : {}) }));
  if (plan.document !== undefined) expectOnlyOursChanged(text, plan.document);
  const findings = diagnose(document, request, { role: ROLE }).map(inShort);
  const said = new Set(findings.map(({ message }) => message));
  return {
    verdict: isProblem(document) ? 'unreadable' : inWords(evaluate(document, request)),
    findings,
    plan: {
      writes: plan.document !== undefined,
      outcome: afterwards(plan),
      findings: [...plan.verdicts.flatMap((verdict) => verdict.findings), ...plan.findings]
        .filter(({ message }) => !said.has(message))
        .map(inShort),
    },
  };
}

const inShort = ({ code, message }: Finding) => ({ code, message });

function inWords(verdict: TrustVerdict): string {
  switch (verdict.kind) {
    case 'allowed':
      return `allowed by statement ${verdict.statement.index}${verdict.ours ? ' (ours)' : ''}`;
    case 'unknown':
      return `unknown, ${verdict.effect}: ${verdict.reason}`;
    case 'denied': {
      if (verdict.explicit) return `denied by statement ${verdict.statement.index}`;
      const part = verdict.nearest?.part;
      return part === undefined
        ? 'denied'
        : `denied, nearest is statement ${verdict.nearest?.statement.index} but for its ${part.kind === 'condition' ? `${part.operator} ${part.key}` : part.kind}`;
    }
  }
}

function afterwards({ verdicts: [verdict] }: TrustPlan): string {
  return verdict?.state === 'allowed' ? `allowed (${verdict.managedBy})` : (verdict?.state ?? 'nothing was wanted');
}

/** Every statement that stood there goes out with the same tokens in the same order, and everything around the statements too. */
function expectOnlyOursChanged(before: string, after: string): void {
  const texts = (text: string) => {
    const document = parseDocument(compact(text));
    return isProblem(document)
      ? []
      : statementTexts(document).filter((statement) => !(statement.includes('"Sid":"Irsa') && statement.includes(PROVIDER)));
  };
  expect(texts(after)).toEqual(texts(before));
}
