import { parseArgs } from 'node:util';
import fc from 'fast-check';
import { isProblem } from '../../src/api/problem.ts';
import { diagnose } from '../../src/trust/diagnose/diagnose.ts';
import { parseDocument } from '../../src/trust/document/document.ts';
import { evaluate } from '../../src/trust/evaluate/evaluate.ts';
import { planTrust } from '../../src/trust/plan.ts';
import { change, mutatedText, policyText } from '../trust/arbitraries.ts';
import { desired, REQUEST, ROLE } from '../trust/cluster.ts';
import { bypassed, foreignChange, unexplained, wrongfulChange } from '../trust/invariants.ts';

/**
 * Random and mutated trust policies through reading, evaluation, diagnosis and planning: no exception, no foreign change, nobody gains or
 * loses who should not, and a second plan has nothing to do. `npm run fuzz:trust -- --cases 1000000`; `SEED=` replays a failure.
 */
const { values } = parseArgs({ options: { cases: { type: 'string', default: '20000' } } });
const cases = Number(values.cases);
if (!Number.isInteger(cases) || cases < 1) {
  console.error(`fuzz:trust: --cases ${values.cases} is no number of documents`);
  process.exit(2);
}
const seed = process.env['SEED'] === undefined ? Date.now() & 0x7fffffff : Number(process.env['SEED']);
const quota = fc.constantFrom(600, 1200, 100_000);
const text = fc.oneof({ weight: 3, arbitrary: policyText }, { weight: 2, arbitrary: mutatedText });

const count = { read: 0, written: 0 };
const startedAt = performance.now();
fc.assert(
  fc.property(text, change, quota, (policy, asked, characters) => {
    const document = parseDocument(policy);
    const wanted = desired({ ...asked, quota: characters });
    const plan = planTrust(document, wanted);
    diagnose(document, REQUEST, { role: ROLE });
    if (isProblem(document)) {
      if (plan.document !== undefined) throw new Error('a document that cannot be read was written');
      return;
    }
    count.read++;
    evaluate(document, REQUEST);
    if (plan.document !== undefined) count.written++;
    const wrong =
      foreignChange(document, plan, wanted) ??
      wrongfulChange(document, plan, wanted) ??
      bypassed(document, plan, wanted) ??
      unexplained(plan) ??
      restless(plan.document, wanted);
    if (wrong !== undefined) throw new Error(wrong);
  }),
  { numRuns: cases, seed },
);
const seconds = (performance.now() - startedAt) / 1000;
console.log(
  `${cases} documents, seed ${seed}: ${count.read} could be read, ${count.written} plans wrote; nothing wrong in ${seconds.toFixed(0)} s`,
);

function restless(text: string | undefined, wanted: ReturnType<typeof desired>): string | undefined {
  if (text === undefined || planTrust(parseDocument(text), wanted).document === undefined) return undefined;
  return 'the plan has something to do after itself';
}
