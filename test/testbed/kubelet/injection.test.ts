import { expect, test } from 'vitest';
import { type Injection, injectionOf } from './injection.ts';
import { aContainer, injected, TOKEN_FOLDER, TOKEN_VOLUME } from './pod.builder.ts';
import type { Container, Volume } from './pod.ts';

const FILE_MISSING: Injection = { kind: 'fileMissing', file: `${TOKEN_FOLDER}/token` };

const cases: Record<string, { container: Container; volumes?: Volume[]; expected: Injection }> = {
  'what the EKS webhook injects is a role, and a token with the audience and the life of the volume': {
    container: injected(),
    expected: {
      kind: 'webIdentity',
      roleArn: 'arn:aws:iam::111122223333:role/lbc',
      token: { volume: 'aws-iam-token', audience: 'sts.amazonaws.com', expirationSeconds: 86400 },
    },
  },
  'a projected token that says nothing else is for the API server and an hour': {
    container: injected(),
    volumes: [{ name: 'aws-iam-token', projected: { sources: [{ serviceAccountToken: { path: 'token' } }] } }],
    expected: {
      kind: 'webIdentity',
      roleArn: 'arn:aws:iam::111122223333:role/lbc',
      token: { volume: 'aws-iam-token', audience: undefined, expirationSeconds: 3600 },
    },
  },
  'a container that was left alone has nothing': { container: aContainer(), expected: { kind: 'none' } },
  'a role without a token file is nothing': {
    container: injected({ env: [{ name: 'AWS_ROLE_ARN', value: 'arn:aws:iam::111122223333:role/lbc' }] }),
    expected: { kind: 'none' },
  },
  'an empty variable counts as unset': {
    container: injected({
      env: [
        { name: 'AWS_ROLE_ARN', value: '' },
        { name: 'AWS_WEB_IDENTITY_TOKEN_FILE', value: '/x/token' },
      ],
    }),
    expected: { kind: 'none' },
  },
  'variables set by hand, without the volume, name a file that is not there': {
    container: injected(),
    volumes: [],
    expected: FILE_MISSING,
  },
  'so do they when the volume is there and not mounted': { container: injected({ volumeMounts: [] }), expected: FILE_MISSING },
  'so do they when the volume holds another path': {
    container: injected(),
    volumes: [{ name: 'aws-iam-token', projected: { sources: [{ serviceAccountToken: { path: 'other' } }] } }],
    expected: FILE_MISSING,
  },
};
for (const [sentence, { container, volumes = [TOKEN_VOLUME], expected }] of Object.entries(cases)) {
  test(sentence, () => expect(injectionOf(container, { containers: [container], volumes })).toEqual(expected));
}
