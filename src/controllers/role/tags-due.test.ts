import { expect, test } from 'vitest';
import { atOnce } from '../../api/stepwise.ts';
import { arn, binding, grant, NOW, present } from '../../domain/test-observed.ts';
import { silentLog } from '../../runtime/log.ts';
import { createStores } from '../stores.ts';
import { rolesWithTagsDue } from './tags-due.ts';

const HOUR_MS = 3_600_000;
const MINUTE_MS = 60_000;
const roleOf = (index: number) => arn(`arn:aws:iam::111122223333:role/team/r-${index}`);

/** Roles with the age of their tags, each bound under a grant that asks for tags; undefined: never read by itself. */
function seen(ages: readonly (number | undefined)[], requiredRoleTags: Record<string, string> = { owner: 'shop' }) {
  const found = createStores(silentLog);
  found.grants.put(grant({ requiredRoleTags }));
  found.namespaces.put({ name: 'shop', labels: {} });
  ages.forEach((age, index) => {
    const name = `app-${index}`;
    found.bindings.put(binding({ metadata: { name, uid: name }, spec: { serviceAccountName: name, roleArn: roleOf(index) } }));
    const tags = age === undefined ? undefined : { values: new Map<string, string>(), asOf: NOW - age, since: NOW - age };
    found.roles.put({ ...present({ tags }), arn: roleOf(index) });
  });
  return found;
}
const due = (from: ReturnType<typeof seen>, intervalMs = MINUTE_MS) => atOnce(rolesWithTagsDue(from, NOW, intervalMs));

test('a role is read by itself once an hour where its grant asks for tags', () => {
  expect(due(seen([HOUR_MS - 1]))).toEqual([]);
  expect(due(seen([HOUR_MS]))).toEqual([roleOf(0)]);
});
test('a role that was seen in lists only has its turn', () => expect(due(seen([undefined]))).toEqual([roleOf(0)]));
test('nobody is read where no grant asks for tags', () => expect(due(seen([undefined], {}))).toEqual([]));
test('a grant that asks for none is enough', () => {
  const found = seen([undefined]);
  found.grants.put({ ...grant(), name: 'another' });
  expect(due(found)).toEqual([]);
});
test('a grant that asks for none is not enough for a proof that it does not allow', () => {
  const found = seen([undefined], { owner: 'shop' });
  found.grants.put(grant({ requiredRoleTags: { owner: 'shop' }, allowVerification: true }));
  found.grants.put({ ...grant(), name: 'another' });
  expect(due(found)).toEqual([]);
  const proving = { serviceAccountName: 'app-0', roleArn: roleOf(0), verification: 'OnChange' };
  found.bindings.put(binding({ metadata: { name: 'app-0', uid: 'app-0' }, spec: proving }));
  expect(due(found)).toEqual([roleOf(0)]);
  found.grants.put({ ...grant({ allowVerification: true }), name: 'another' });
  expect(due(found)).toEqual([]);
});
test('a role that is not there, or was not read at all, is for others to ask for', () => {
  const found = seen([undefined]);
  found.roles.delete(roleOf(0));
  expect(due(found)).toEqual([]);
});
test('of many a few at each sweep, so that an hour has room for all, and who waits longest comes first', () => {
  const ages = Array.from({ length: 120 }, (_, index) => HOUR_MS + index);
  expect(due(seen(ages))).toEqual([roleOf(119), roleOf(118)]);
  expect(due(seen(ages), HOUR_MS)).toHaveLength(120);
});
