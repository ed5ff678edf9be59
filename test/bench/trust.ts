import { setImmediate as nextTurn } from 'node:timers/promises';
import { parseRoleArn } from '../../src/api/arn.ts';
import { subjectOf } from '../../src/api/subject.ts';
import { diagnose } from '../../src/trust/diagnose/diagnose.ts';
import { decodeDocument, parseDocument } from '../../src/trust/document/document.ts';
import { evaluate } from '../../src/trust/evaluate/evaluate.ts';
import { type DesiredStatement, planTrust } from '../../src/trust/plan.ts';
import { ACTION, ALB, AUDIENCE, allow, desired, HOST, PROVIDER, policy, REQUEST, ROLE, read, valid } from '../trust/cluster.ts';

/**
 * What a trust policy costs, as a ratio to `JSON.parse` of the same text in the same run, on one core; and how long a sweep of 1,000 roles
 * holds the event loop. Nothing here is a test: `npm run bench:trust` prints, and people judge.
 */

/** Long enough for the compiler to have settled, short enough for patience. */
const MEASURE_MS = 700;
const ROLES = 1_000;
/** Judged without a break; then the event loop gets its turn. The operator itself judges one role at a time (a reconcile for each). */
const SLICE = 10;
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

/** Of this thread's own time, so that other processes of the machine do not count. */
function cpuMs(): number {
  const { user, system } = process.threadCpuUsage();
  return (user + system) / 1000;
}

function opsPerSecond(work: () => unknown): number {
  for (let at = 0; at < 200; at++) work();
  const startedAt = cpuMs();
  let count = 0;
  while (cpuMs() - startedAt < MEASURE_MS) {
    for (let at = 0; at < 20; at++) work();
    count += 20;
  }
  return (count * 1000) / (cpuMs() - startedAt);
}

const roles = Array.from({ length: ROLES }, (_, at) => ({
  arn: valid(parseRoleArn(`arn:aws:iam::111122223333:role/team-${at}`)),
  encoded: encodeURIComponent(
    policy(...foreign(1 + (at % 5)), allow({ StringEquals: { [`${HOST}:sub`]: ALB, [`${HOST}:aud`]: AUDIENCE } })),
  ),
}));

function judge({ arn, encoded }: (typeof roles)[number], wanted: DesiredStatement['wanted']): void {
  const text = valid({ text: decodeDocument(encoded) }).text;
  if (typeof text !== 'string') throw new TypeError(text.problem);
  planTrust(parseDocument(text), desired({ role: arn, wanted }));
}

/** The first sweep finds the code cold, as after a start; the others tell what it costs from then on. */
const SWEEPS = 5;

/** How long the slice lasted that held the event loop longest, by the clock; whatever else runs on the machine counts in. */
async function longestSlice(wanted: DesiredStatement['wanted']): Promise<number> {
  let longest = 0;
  for (let at = 0; at < ROLES; at += SLICE) {
    await nextTurn();
    const startedAt = performance.now();
    for (const role of roles.slice(at, at + SLICE)) judge(role, wanted);
    longest = Math.max(longest, performance.now() - startedAt);
  }
  return longest;
}

const controller = { subject: ALB, audience: AUDIENCE };
const wishes = {
  'nothing to do': [controller],
  'a statement to add': [controller, { subject: subjectOf('kube-system', 'external-dns'), audience: AUDIENCE }],
};
for (const [what, wanted] of Object.entries(wishes)) {
  const usedBefore = cpuMs();
  const longest: number[] = [];
  for (let sweep = 0; sweep < SWEEPS; sweep++) longest.push(await longestSlice(wanted));
  const each = (cpuMs() - usedBefore) / SWEEPS;
  const shown = longest.map((ms) => ms.toFixed(1)).join(', ');
  const quietest = Math.min(...longest);
  console.log(
    `sweep of ${ROLES} roles, ${what}: ${each.toFixed(0)} ms of CPU, handing back after ${SLICE} roles; longest hold of the event loop in ${SWEEPS} sweeps ${shown} ms by the clock (${quietest <= BAR_MS ? 'within' : 'ABOVE'} ${BAR_MS} ms in the quietest)`,
  );
}

const HEAD = [
  'statements',
  'characters',
  'JSON.parse/s',
  'judged/s (ratio)',
  'diagnosed/s',
  'planned/s, nothing to do',
  'planned/s, writes',
];
console.log(HEAD.join('  '));
for (const count of [1, 5, 20]) {
  const text = policy(...foreign(count));
  const adds = desired({ quota: 100_000 });
  const nothing = desired({ quota: 100_000, wanted: [] });
  const base = opsPerSecond(() => JSON.parse(text));
  const rates = [
    () => evaluate(read(text), REQUEST),
    () => diagnose(read(text), REQUEST, { role: ROLE }),
    () => planTrust(read(text), nothing),
    () => planTrust(read(text), adds),
  ].map(opsPerSecond);
  const cells = [count, text.length, Math.round(base), ...rates.map((rate) => `${Math.round(rate)} (${(base / rate).toFixed(1)})`)];
  console.log(cells.map((cell, at) => String(cell).padStart(HEAD[at]?.length ?? 0)).join('  '));
}
