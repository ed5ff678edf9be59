import { describe, expect, test } from 'vitest';
import { HOST, ISSUER, OTHER_HOST, PROVIDER } from '../../../test/trust/cluster.ts';
import { type KeyKind, kindOfKey } from './request.ts';

describe('a condition key is', () => {
  const kinds: Record<KeyKind, readonly string[]> = {
    subject: [`${HOST}:sub`, `${HOST}:SUB`, `${HOST.toLowerCase()}:sub`, `${HOST.toUpperCase()}:Sub`],
    audience: [`${HOST}:aud`, `${HOST}:Aud`, `${HOST.toLowerCase()}:aud`],
    claim: [`${HOST}:jti`, `${HOST}:kubernetes.io`, `${HOST}:sub-x`, `${HOST}:a_b`, `${HOST}:su`],
    otherProvider: [
      ...[`${OTHER_HOST}:sub`, 'token.actions.githubusercontent.com:sub', 'accounts.google.com:aud', 'api.pulumi.com/oidc:aud'],
      ...[`${HOST.slice(0, -1)}:sub`, `${HOST}0:sub`, `${HOST}/x:sub`, 'x.y:z', 'x.y/a-b_c~d.e/f:z', 'x-y.z0:sub', 'a.b:c_d-e.f'],
    ],
    context: ['aws:SourceIp', 'sts:RoleSessionName', 'aws:ResourceTag/a b', 's3:max-keys', 'a-0:b', 'saml:aud', 'AWS:SOURCEIP', 'x:y:z'],
    malformed: [
      ...['', 'sub', 'aud', 'x', HOST, `${HOST}:`, `${HOST}: sub`, `${HOST}:sub `, ` ${HOST}:sub`, `${HOST}:sub:sub`, `${HOST}:a/b`],
      ...[`https://${HOST}:sub`, `http://${HOST}:sub`, `${PROVIDER}:sub`, `ARN:aws:x`, `HTTPS://x:sub`, `oidc-provider/${HOST}:sub`],
      ...[`${HOST}/:sub`, 'x.y:', 'x.y:a b', '.x:y', 'x..y:z', 'x.y//z:sub', '<x>.y:sub', 'x.y:sub\n', 'aws:', ':x', 'a b:c', '-', 'x_y:z'],
    ],
  };
  for (const [kind, keys] of Object.entries(kinds))
    for (const key of keys) test(`${kind}: ${JSON.stringify(key)}`, () => expect(kindOfKey(key, ISSUER)).toBe(kind));

  test('a limit that somebody meant, also with white space around it', () => {
    for (const key of ['aws:SourceVpc ', ' aws:SourceVpc', 'aws:SourceVpc\n']) expect(kindOfKey(key, ISSUER)).toBe('context');
  });
});
