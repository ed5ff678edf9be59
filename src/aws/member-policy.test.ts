import { readFileSync } from 'node:fs';
import { expect, test } from 'vitest';
import { type AccountId, PARTITIONS, ROLE_NAME_LIMIT } from '../api/arn.ts';
import { memberSessionPolicy } from './member-policy.ts';

/** Of the parameter Policy of sts:AssumeRole. */
const STS_MOST = 2_048;
const account = '777788889999' as AccountId;
const shipped = readFileSync('config/iam/accounts/member.json', 'utf8');

test.each(PARTITIONS)('in the partition %s it is the policy of the member, without Sids', (partition) => {
  const expected = JSON.parse(shipped.replaceAll('arn:aws:', `arn:${partition}:`).replaceAll('444455556666', account), (key, value) =>
    key === 'Sid' ? undefined : value,
  );
  expect(JSON.parse(memberSessionPolicy({ partition, account }))).toEqual(expected);
});

test('a member with another name never writes itself, and the names of others stay', () => {
  const policy = memberSessionPolicy({ partition: 'aws', account, roleName: 'keeper' });
  expect(policy).toContain('"arn:aws:iam::777788889999:role/keeper","arn:aws:iam::777788889999:role/*/keeper"');
  expect(policy).not.toContain('irsa-operator-member');
  expect(policy).toContain('"arn:aws:iam::777788889999:role/AWSControlTowerExecution"');
});

// Contract: accounts-session-policy
test('it has room in a call of sts:AssumeRole: the longest is that of the docs', () => {
  const roleName = 'n'.repeat(ROLE_NAME_LIMIT.most);
  const longest = Math.max(...PARTITIONS.map((partition) => memberSessionPolicy({ partition, account, roleName }).length));
  expect(longest).toBeLessThan(STS_MOST);
  expect(readFileSync('docs/accounts.md', 'utf8')).toContain(`The longest one has ${longest.toLocaleString('en')}.`);
});
