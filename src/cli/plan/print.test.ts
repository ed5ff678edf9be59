import { describe, expect, test } from 'vitest';
import type { Effect } from '../../domain/simulation/effect.ts';
import { ARN } from '../../domain/test-observed.ts';
import type { Plan } from './plan.ts';
import { printPlan, title } from './print.ts';

const serviceAccount = { namespace: 'shop', name: 'app' };
const effects: readonly Effect[] = [
  { do: 'writeTrust', role: ARN, before: '{"Version":"2012-10-17"}', after: '{"Version":"2012-10-17","Statement":[]}' },
  { do: 'annotate', serviceAccount, before: { a: '1', b: '2' }, after: { a: '1', b: '3' } },
  { do: 'restart', how: 'evict', serviceAccount, pod: 'app-1', owner: 'ReplicaSet/app-5d9c', ifNotReady: true },
  { do: 'rollOut', serviceAccount, workload: 'Deployment/app' },
];
const plan: Plan = {
  issuer: 'https://x',
  account: '111122223333',
  ended: true,
  effects,
  bindings: [
    { namespace: 'shop', name: 'app', asIfEnforced: true, ready: { status: 'False', reason: 'RoleNotFound', message: 'no such role' } },
  ],
};
const style = { width: 200, colour: false };

describe('a plan is written', () => {
  test('as a page, with what changes and what is then said', () =>
    expect(printPlan(plan, 'table', style)).toBe(
      [
        `trust policy of ${ARN}`,
        '    {',
        '  -   "Version": "2012-10-17"',
        '  +   "Version": "2012-10-17",',
        '  +   "Statement": []',
        '    }',
        '',
        'annotations of ServiceAccount shop/app',
        '    a: 1',
        '  - b: 2',
        '  + b: 3',
        '',
        'evict pod shop/app-1 of ReplicaSet/app-5d9c, if it is still not ready by then',
        '',
        'roll out Deployment/app of namespace shop',
        '',
        'shop/app (as if it said mode: Enforce): then Ready=False, RoleNotFound: no such role',
        '',
      ].join('\n'),
    ));

  test('with colours in a terminal', () =>
    expect(printPlan(plan, 'table', { ...style, colour: true })).toContain('\u001b[32m  + b: 3\u001b[0m'));

  test('for programs, with documents as such', () => {
    const data = JSON.parse(printPlan(plan, 'json', style));
    expect(data).toMatchObject({ complete: true, effects: [{ do: 'writeTrust', after: { Statement: [] } }, {}, {}, {}] });
  });

  test('as Markdown for a pull request', () => {
    const text = printPlan(plan, 'markdown', style);
    expect(text).toContain('## irsa-operator plan: 4 changes');
    expect(text).toContain('   ```diff\n');
    expect(text).toContain('| `shop/app` | as if Enforce | False | RoleNotFound |');
    expect(printPlan({ ...plan, effects: [] }, 'markdown', style)).toContain('no changes');
  });

  test('so that no name moves a cursor or ends a code span', () => {
    const hostile: Effect = { do: 'rollOut', serviceAccount, workload: 'Deployment/`\u001b[2J|' };
    expect(title(hostile)).toContain('\u001b');
    for (const output of ['table', 'markdown'] as const) {
      const text = printPlan({ ...plan, effects: [hostile] }, output, style);
      expect(text).not.toContain('\u001b');
      if (output === 'markdown') expect(text).toContain("`roll out Deployment/'\\u001b[2J\\| of namespace shop`");
    }
  });
});
