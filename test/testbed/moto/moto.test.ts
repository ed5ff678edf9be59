import { readFile } from 'node:fs/promises';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { type AwsDouble, startAwsDouble } from '../aws/index.ts';
import { type Answer, differencesBetween } from './answer.ts';
import { ACCOUNT, CALLS, CLUSTER } from './calls.ts';
import { DIFFERENCES } from './differences.ts';
import { runSuite } from './suite.ts';

/** The same calls as `make moto` asked of moto: the double must answer alike but for the differences that are listed with their reasons. */
describe('the AWS double answers as moto does', async () => {
  const recordFile = new URL('../../golden/moto/answers.json', import.meta.url);
  const record = JSON.parse(await readFile(recordFile, 'utf8')) as { moto: string; answers: Record<string, Answer> };
  let double: AwsDouble;
  let ours: Record<string, Answer>;

  beforeAll(async () => {
    double = await startAwsDouble();
    double.cluster({ accountId: ACCOUNT, name: CLUSTER, issuer: 'https://oidc.eks.us-east-1.amazonaws.com/id/0123456789ABCDEF' });
    const { AWS_ACCESS_KEY_ID = '', AWS_SECRET_ACCESS_KEY = '' } = double.env(ACCOUNT);
    const credentials = { accessKeyId: AWS_ACCESS_KEY_ID, secretAccessKey: AWS_SECRET_ACCESS_KEY };
    ours = await runSuite({ endpoint: double.endpoint, credentials });
  });
  afterAll(() => double.stop());

  test('the record holds an answer to each call and to no other (else: make moto)', () =>
    expect(Object.keys(record.answers)).toEqual(Object.keys(CALLS)));

  test('the record is of the moto that requirements.txt names', async () =>
    expect(await readFile(new URL('requirements.txt', import.meta.url), 'utf8')).toBe(`moto[server]==${record.moto}\n`));

  test('each listed difference is one of a call that is made', () =>
    expect(DIFFERENCES.flatMap(({ at }) => Object.keys(at)).filter((call) => !(call in CALLS))).toEqual([]));

  test.each(Object.keys(CALLS))('%s', (call) => {
    const found = differencesBetween(ours[call], record.answers[call]);
    const listed = DIFFERENCES.flatMap(({ at }) => at[call] ?? []).sort();
    expect(Object.keys(found).sort(), `found: ${JSON.stringify(found, null, 2)}`).toEqual(listed);
  });
});
