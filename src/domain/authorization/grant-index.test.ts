import fc from 'fast-check';
import { expect, test } from 'vitest';
import { byName } from '../../api/by-name.ts';
import type { Namespace } from '../../api/cluster.ts';
import type { IrsaGrant } from '../../api/grant.ts';
import { isProblem, problem } from '../../api/problem.ts';
import { grant, spec } from '../test-observed.ts';
import { GrantIndex } from './grant-index.ts';
import { covers, coversByLabel } from './grants.ts';

const seed = Number(process.env['SEED'] ?? Date.now() % 2 ** 31);
const role = (name: string) => `arn:aws:iam::111122223333:role/${name}`;

const roleArn = fc.constantFrom(...['app', 'team/app', 'team/apple', 'team/deep/app', 'other/app'].map(role));
const pattern = fc.constantFrom(...['app', '*', 'team/*', 'team/app', 'team/app*', '*/app', 'te*m/a*e', 'team/*/app', 't*'].map(role));
const label = fc.constantFrom('team', 'tier');
const value = fc.constantFrom('a', 'b');
const labels = fc.dictionary(label, value, { maxKeys: 2 });
const namespaces = fc.oneof(
  fc.record({ names: fc.uniqueArray(fc.constantFrom('shop', 'pay'), { minLength: 1 }) }),
  fc.record({ selector: fc.record({ matchLabels: fc.dictionary(label, value, { minKeys: 1, maxKeys: 2 }) }) }),
  fc.record({
    names: fc.constant(['shop', 'shop']),
    selector: fc.record({ matchLabels: fc.dictionary(label, value, { minKeys: 1, maxKeys: 2 }) }),
  }),
);
const audience = fc.constantFrom('sts.amazonaws.com', 'vault');
const some = fc.record({
  roleArns: fc.array(pattern, { minLength: 1, maxLength: 3 }),
  namespaces,
  serviceAccountNames: fc.array(fc.constantFrom('app', '*', 'ap*', 'web'), { minLength: 1, maxLength: 2 }),
  audiences: fc.uniqueArray(audience, { minLength: 1 }),
});
const asked = fc.record({ roleArn, serviceAccountName: fc.constantFrom('app', 'web', 'apple'), audience });
const namespace: fc.Arbitrary<Namespace> = fc.record({ name: fc.constantFrom('shop', 'pay', 'else'), labels });

const named = (parts: readonly (object | undefined)[]): IrsaGrant[] =>
  parts.map((part, at) => ({
    ...(part === undefined ? { ...grant(), spec: problem('spec.roleArns: it is empty') } : grant(part)),
    name: `g-${(at * 7) % 10}${at}`,
    uid: `${at}`,
  }));
/** Without an index: each grant is asked. */
const oneByOne = (grants: readonly IrsaGrant[], of: ReturnType<typeof spec>, at: Namespace) =>
  grants.toSorted(byName).flatMap(({ name, spec: one }) => (!isProblem(one) && covers(one, of, at) ? [name] : []));

test(`the index finds the very grants that cover a binding, and in their order (SEED=${seed})`, () => {
  let found = 0;
  fc.assert(
    fc.property(
      fc.array(fc.option(some, { nil: undefined, freq: 10 }), { maxLength: 12 }),
      fc.array(asked, { minLength: 1, maxLength: 4 }),
      fc.array(namespace, { minLength: 1, maxLength: 4 }),
      (parts, specs, places) => {
        const grants = named(parts);
        const index = new GrantIndex(grants);
        // In turns, and twice: what is remembered of one place must not be said of another.
        for (const at of [...places, ...places])
          for (const of of specs.map(spec)) {
            const wanted = oneByOne(grants, of, at);
            found += wanted.length;
            expect(index.grantsFor(of, at).map((one) => one.grant)).toEqual(wanted);
            expect(index.grantsFor(of, at).map((one) => one.grant)).toEqual(wanted);
            expect(index.covering(of, at).map(({ name }) => name)).toEqual(wanted);
            expect(index.coversByLabel(of)).toBe(grants.some((one) => !isProblem(one.spec) && coversByLabel(one.spec, of)));
          }
      },
    ),
    { seed, numRuns: 500 },
  );
  expect(found).toBeGreaterThan(100);
});

test('a spec that is asked about in another namespace is looked up anew, and so is one whose namespace has other labels', () => {
  const index = new GrantIndex([grant({ namespaces: { selector: { matchLabels: { team: 'a' } } } })]);
  const of = spec();
  const covered = (name: string, team: string) => index.grantsFor(of, { name, labels: { team } }).length > 0;
  expect([covered('shop', 'a'), covered('shop', 'b'), covered('shop', 'a'), covered('pay', 'b'), covered('pay', 'a')]).toEqual([
    true,
    false,
    true,
    false,
    true,
  ]);
});

test('what was found is remembered while neither spec nor labels are others', () => {
  const index = new GrantIndex([grant()]);
  const [of, at] = [spec(), { name: 'shop', labels: {} }];
  expect(index.grantsFor(of, at)).toBe(index.grantsFor(of, { ...at }));
});
