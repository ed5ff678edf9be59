import { finding } from '../../api/finding.ts';
import { accept } from '../../domain/check/accept.ts';
import type { Accepted, Check, CheckStep } from '../../domain/check/judge.ts';
import type { CheckReport } from './check.ts';
import type { Checked } from './text.ts';

export const NO_FIXES = { kubectl: [], aws: [], terraform: [], trust: undefined, restarts: [] };

const healthy: Record<Exclude<CheckStep['name'], 'Binding'>, string> = {
  ServiceAccount: 'app',
  Annotation: 'role/app',
  Webhook: 'selects these pods',
  'OIDC provider': 'oidc.eks.eu-west-1.amazonaws.com/id/ABCD',
  'Trust policy': 'a statement allows "system:serviceaccount:shop:app" to assume the role',
  Pods: '2 of 2 pods have the role',
};
export type Steps = Partial<Record<CheckStep['name'], Partial<CheckStep>>>;

/** A ServiceAccount for which all is right: a test says only what is wrong. */
export function checked(steps: Steps = {}, part: Partial<Omit<Checked, 'check'>> & Partial<Pick<Check, 'notes'>> = {}): Checked {
  const all = Object.entries(healthy).map(([name, text]): CheckStep => {
    const known = name as CheckStep['name'];
    return { name: known, state: 'ok', text, findings: [], ...steps[known] };
  });
  const { notes = [], ...rest } = part;
  return {
    namespace: 'shop',
    name: 'app',
    check: { steps: all, notes, engine: undefined },
    fixes: NO_FIXES,
    log: undefined,
    places: {},
    ...rest,
  };
}

export const failing = (code: Parameters<typeof finding>[0], ...messages: readonly string[]): Partial<CheckStep> => ({
  state: 'fail',
  text: messages[0] ?? '',
  findings: messages.map((message) => finding(code, message)),
});

/** With every finding accepted. */
export const accepting = (of: Checked, accepted: Accepted): Checked => ({ ...of, check: accept(of.check, () => accepted) });

export const reportOf = (all: readonly Checked[], part: Partial<CheckReport> = {}): CheckReport => ({
  about: { cluster: 'blue', issuer: 'https://oidc.eks.eu-west-1.amazonaws.com/id/ABCD', account: '111122223333' },
  checked: all,
  trust: undefined,
  failOn: 'Warning',
  exitCode: 0,
  ...part,
});

/** What others may write into names, annotations and documents to be taken for something else. */
export const HOSTILE = [
  'x\n::error::y\r\n::add-mask::a%0A::warning::z',
  '</failure></testcase><testcase name="a" classname=\'b\'>]]><!-- & &#0; &lt;',
  '[click](https://evil.example) <https://evil.example> ![](https://evil.example/a.png) https://evil.example www.evil.example',
  '| a | b |\n\n# title\n\n<script>alert(1)</script> <a href="x">y</a> @org/team #1 ``` ```` ~~~ `x` \\` \\| ** __',
  '\u0000\u0001\u0008\u000b\u001b[31m\u007f\u0085\u009b\u2028\u202e\ud800\ufffe\uffff\u{e0041}',
  '```\n# out\n````\n`````sh',
  `${'`|'.repeat(100_000)}${' y'.repeat(100_000)}${'x'.repeat(600_000)}`,
];
