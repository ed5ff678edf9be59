import { setImmediate as nextTurn } from 'node:timers/promises';
import { parseRoleArn } from '../../src/api/arn.ts';
import { subjectOf } from '../../src/api/subject.ts';
import { diagnose } from '../../src/trust/diagnose.ts';
import { decodeDocument, parseDocument } from '../../src/trust/document.ts';
import { evaluate } from '../../src/trust/evaluate.ts';
import { planTrust, type TrustWish } from '../../src/trust/plan.ts';
import { ACTION, ALB, AUDIENCE, allow, HOST, PROVIDER, policy, REQUEST, ROLE, read, valid, wish } from '../trust/cluster.ts';

/**
 * What a trust policy costs, as a ratio to `JSON.parse` of the same text in the same run, on one core; and how long a sweep of 1,000 roles
 * holds the event loop. Nothing here is a test: `npm run bench:trust` prints, and people judge.
 */

/** Long enough for the compiler to have settled, short enough for patience. */
const MEASURE_MS = 700;
const ROLES = 1_000;
/** Judged without a break, as a caller should: a sweep hands the event loop back after each. */
const PAGE = 25;
const BAR_MS = 20;

/** Other people's statements: services, other clusters, other ServiceAccounts; and none that lets the controller in. */
function foreign(count: number): object[] {
  return Array.from({ length: count }, (_, at) => {
    const sub = `system:serviceaccount:team-${at}:app`;
    if (at % 3 === 0)
      return { Sid: `Service${at}`, Effect: 'Allow', Principal: { Service: 'ec2.amazonaws.com' }, Action: 'sts:AssumeRole' };
    if (at % 3 === 1) return allow({ StringEquals: { [`${HOST}:sub`]: sub, [`${HOST}:aud`]: AUDIENCE } });
    const other = HOST.replace('us-east-1', 'us-west-2');
    return allow({ StringLike: { [`${other}:sub`]: sub } }, { Principal: { Federated: PROVIDER.replace(HOST, other) }, Action: [ACTION] });
  });
}

function opsPerSecond(work: () => unknown): number {
  for (let at = 0; at < 200; at++) work();
  const end = performance.now() + MEASURE_MS;
  let count = 0;
  while (performance.now() < end) {
    for (let at = 0; at < 20; at++) work();
    count += 20;
  }
  return (count * 1000) / MEASURE_MS;
}

console.log('statements  characters  JSON.parse/s   judged/s (ratio)   diagnosed/s (ratio)   planned/s (ratio)');
for (const count of [1, 5, 20]) {
  const text = policy(...foreign(count));
  const asked = wish({ quota: 100_000 });
  const base = opsPerSecond(() => JSON.parse(text));
  const judged = opsPerSecond(() => evaluate(read(text), REQUEST));
  const diagnosed = opsPerSecond(() => diagnose(read(text), REQUEST, { role: ROLE }));
  const planned = opsPerSecond(() => planTrust(read(text), asked));
  const cell = (rate: number) => `${Math.round(rate)} (${(base / rate).toFixed(1)})`.padStart(18);
  console.log(
    `${String(count).padStart(10)}  ${String(text.length).padStart(10)}  ${String(Math.round(base)).padStart(12)} ${cell(judged)} ${cell(diagnosed)} ${cell(planned)}`,
  );
}

const roles = Array.from({ length: ROLES }, (_, at) => ({
  arn: valid(parseRoleArn(`arn:aws:iam::111122223333:role/team-${at}`)),
  encoded: encodeURIComponent(
    policy(...foreign(1 + (at % 5)), allow({ StringEquals: { [`${HOST}:sub`]: ALB, [`${HOST}:aud`]: AUDIENCE } })),
  ),
}));

function judge({ arn, encoded }: (typeof roles)[number], wanted: TrustWish['wanted']): void {
  const text = valid({ text: decodeDocument(encoded) }).text;
  if (typeof text !== 'string') throw new TypeError(text.problem);
  planTrust(parseDocument(text), wish({ role: arn, wanted }));
}

for (const [what, wanted] of [
  ['nothing to do', [{ subject: ALB, audience: AUDIENCE }]],
  [
    'a statement to add',
    [
      { subject: ALB, audience: AUDIENCE },
      { subject: subjectOf('kube-system', 'external-dns'), audience: AUDIENCE },
    ],
  ],
] as const) {
  await nextTurn();
  let longest = 0;
  const startedAt = performance.now();
  for (let at = 0; at < ROLES; at += PAGE) {
    const pageAt = performance.now();
    for (const role of roles.slice(at, at + PAGE)) judge(role, wanted);
    longest = Math.max(longest, performance.now() - pageAt);
    await nextTurn();
  }
  const total = performance.now() - startedAt;
  const verdict = longest <= BAR_MS ? 'within' : 'ABOVE';
  console.log(
    `sweep of ${ROLES} roles, ${what}: ${total.toFixed(0)} ms in slices of ${PAGE}; longest slice ${longest.toFixed(1)} ms, ${verdict} ${BAR_MS} ms`,
  );
}
