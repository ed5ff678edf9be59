import { describe, expect, test, vi } from 'vitest';
import { isMisspeltRoleKey, misspeltRoleKeys } from './annotation-key.ts';

const misspelt = [
  'eks.amazon.com/role-arn',
  'eks.amazonaws.com/role_arn',
  'eks.amazonaws.com/rolearn',
  'eks.amazonaws.com/role-Arn',
  'EKS.amazonaws.com/role-arn',
  'eks.amazonaws.com/iam-role-arn',
  'eks.amazonaws.com/role',
  'eks.amazonaws.com/role-arns',
  'eks.amazonaws.com.cn/role-arn',
  'eks.amazonaws.org/role-arn',
  'eks.amazonaw.com/role-anr',
  'eks-amazonaws.com/role.arn',
  'sts.amazonaws.com/role-arn',
  'amazonaws.com/role-arn',
];
for (const key of misspelt) test(`${key} is meant to be the webhook's`, () => expect(isMisspeltRoleKey(key)).toBe(true));

const others = [
  'eks.amazonaws.com/role-arn',
  'eks.amazonaws.com/audience',
  'eks.amazonaws.com/token-expiration',
  'eks.amazonaws.com/sts-regional-endpoints',
  'eks.amazonaws.com/skip-containers',
  'eks.amazonaws.com/compute-type',
  // kube2iam and kiam read this of a pod
  'iam.amazonaws.com/role',
  'iam.gke.io/gcp-service-account',
  'azure.workload.identity/client-id',
  'meta.helm.sh/release-name',
  'role-arn',
  '',
  'x'.repeat(300),
];
for (const key of others) test(`${key.slice(0, 40) || 'no key'} is not`, () => expect(isMisspeltRoleKey(key)).toBe(false));

describe('of all keys of an object', () => {
  const nearLength = (count: number) => Array.from({ length: count }, (_, at) => `tool.example.com/key-${String(at).padStart(6, '0')}`);
  const counted = (keys: readonly string[]) => {
    let compared = 0;
    const found = misspeltRoleKeys(keys, undefined, (key) => {
      compared++;
      return isMisspeltRoleKey(key);
    });
    return { found, compared };
  };

  for (const key of misspelt) {
    test(`${key} is found among the annotations of other tools, and of another length`, () => {
      const long = Array.from({ length: 5_000 }, (_, at) => `tool.example.com/${'x'.repeat(40)}-${at}`);
      const short = Array.from({ length: 5_000 }, (_, at) => `x/${at}`);
      expect(counted([...long, ...short, ...nearLength(200), key])).toEqual({ found: [key], compared: 201 });
    });
  }

  test('the right one is not among the misspelt', () => {
    expect(misspeltRoleKeys(others)).toEqual([]);
    expect(misspeltRoleKeys(['eks.amazonaws.com/role-arn', 'eks.amazon.com/role-arn'])).toEqual(['eks.amazon.com/role-arn']);
  });

  test('another prefix of the webhook has its own', () => {
    const wanted = 'irsa.example.org/role-arn';
    const keys = ['eks.amazonaws.com/role-arn', 'irsa.example.com/role-arn', 'irsa.example.org/role-arn', 'irsa.example.org/rolearn'];
    expect(misspeltRoleKeys(keys, wanted)).toEqual(['irsa.example.com/role-arn', 'irsa.example.org/rolearn']);
  });

  test('the first four are kept', () => expect(misspeltRoleKeys(misspelt)).toEqual(misspelt.slice(0, 4)));

  const objects: Record<string, readonly [keys: readonly string[], most: number]> = {
    'no key': [[], 0],
    'eight thousand keys of the right length': [nearLength(8_000), 256],
    'eight thousand misspelt keys': [Array.from({ length: 8_000 }, (_, at) => `eks.amazonaws.com/role-arn${at % 1000}`), 4],
    'one key of 234 KiB': [['x'.repeat(234 * 1024)], 0],
    'one key of 234 KiB of punctuation around the right one': [[`eks.amazonaws.com/role-arn${'-'.repeat(234 * 1024)}`], 0],
    'a thousand keys of 234 characters': [Array.from({ length: 1_000 }, (_, at) => String(at).padStart(234, 'x')), 0],
  };
  for (const [what, [keys, most]] of Object.entries(objects))
    test(`${what}: at most ${most} are compared`, () => expect(counted(keys).compared).toBe(most));

  test('a key that begins as none of ours is given up after a few of its letters', () => {
    const row = vi.spyOn(Math, 'min');
    isMisspeltRoleKey('zzzzzzzzzzzzzzzz/zzzzzz');
    const asked = row.mock.calls.length;
    row.mockRestore();
    // A row is as long as the right key, and one more edit than are forgiven ends it.
    expect(asked).toBeLessThanOrEqual(4 * ('eksamazonawscom/rolearn'.length + 1));
  });
});
