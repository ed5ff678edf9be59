import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, describe, expect, test, vi } from 'vitest';
import { rolesOfProfile, rolesOnTheWay } from './profile.ts';

const role = (name: string) => `arn:aws:iam::111122223333:role/${name}`;

// Contract: api-own-role
describe('the roles on the way to the credentials of a profile', () => {
  const profiles: Record<string, Record<string, string>> = {
    keys: { aws_access_key_id: 'AKIAEXAMPLE' },
    one: { role_arn: role('one'), source_profile: 'keys' },
    two: { role_arn: role('two'), source_profile: 'one' },
    three: { role_arn: role('three'), source_profile: 'two' },
    token: { role_arn: role('token'), web_identity_token_file: '/token' },
    'behind a token': { role_arn: role('last'), source_profile: 'token' },
    'of itself': { role_arn: role('self'), source_profile: 'of itself' },
    'round a': { role_arn: role('a'), source_profile: 'round b' },
    'round b': { role_arn: role('b'), source_profile: 'round a' },
    'of nothing': { role_arn: role('x'), source_profile: 'absent' },
    instance: { role_arn: role('y'), credential_source: 'Ec2InstanceMetadata' },
    'without a role': { source_profile: 'two' },
  };
  const cases: Record<string, readonly string[]> = {
    keys: [],
    one: ['one'],
    two: ['two', 'one'],
    three: ['three', 'two', 'one'],
    token: ['token'],
    'behind a token': ['last', 'token'],
    'of itself': ['self'],
    'round a': ['a', 'b'],
    'of nothing': ['x'],
    instance: ['y'],
    'without a role': ['two', 'one'],
    absent: [],
  };
  for (const [name, roles] of Object.entries(cases))
    test(`are ${roles.join(', ') || 'none'}: ${name}`, () => expect(rolesOnTheWay(name, profiles)).toEqual(roles.map(role)));
});

describe('the shared config files', () => {
  const folders: string[] = [];
  afterEach(() => {
    vi.unstubAllEnvs();
    for (const folder of folders.splice(0)) rmSync(folder, { recursive: true });
  });

  test('are those that the SDK reads', async () => {
    const folder = mkdtempSync(join(tmpdir(), 'profiles-'));
    folders.push(folder);
    writeFileSync(
      join(folder, 'config'),
      `[profile hub]\nrole_arn = ${role('hub')}\nsource_profile = keys\n[profile last]\nrole_arn = ${role('last')}\nsource_profile = hub\n`,
    );
    writeFileSync(join(folder, 'credentials'), '[keys]\naws_access_key_id = AKIAEXAMPLE\naws_secret_access_key = secret\n');
    vi.stubEnv('AWS_CONFIG_FILE', join(folder, 'config'));
    vi.stubEnv('AWS_SHARED_CREDENTIALS_FILE', join(folder, 'credentials'));
    expect(await rolesOfProfile('last')).toEqual([role('last'), role('hub')]);
  });

  test('need not be there', async () => {
    vi.stubEnv('AWS_CONFIG_FILE', '/absent/config');
    vi.stubEnv('AWS_SHARED_CREDENTIALS_FILE', '/absent/credentials');
    expect(await rolesOfProfile('default')).toEqual([]);
  });
});
