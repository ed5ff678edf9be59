import { describe, expect, test } from 'vitest';
import type { Container } from '../../api/cluster.ts';
import { finding } from '../../api/finding.ts';
import { ARN } from '../test-observed.ts';
import { staticCredentials } from './static-credentials.ts';

const WHERE = 'Deployment "app", container "app"';
const ROLE = { AWS_ROLE_ARN: ARN, AWS_WEB_IDENTITY_TOKEN_FILE: '/token' };
/** Names of variables: the edge keeps no value of them. */
const set = (...names: string[]): Container['env'] => Object.fromEntries(names.map((name) => [name, undefined]));
const judged = (env: Container['env']) => staticCredentials({ name: 'app', env, mountsToken: true }, WHERE);

const KEYS_FIRST = 'Most AWS SDKs use access keys of the environment before the role';
const FILES_FIRST = 'The SDKs for JavaScript, Rust and C++ look there before they use the role, others after it';
const ROLE_FIRST = 'AWS SDKs use the role before container credentials';

const found: Record<string, { env: Container['env']; wanted: string }> = {
  'access keys, whatever they come from': {
    env: { ...ROLE, ...set('AWS_REGION', 'AWS_SECRET_ACCESS_KEY', 'AWS_ACCESS_KEY_ID') },
    wanted: `its environment has AWS_ACCESS_KEY_ID and AWS_SECRET_ACCESS_KEY. ${KEYS_FIRST}. Remove this from the template, or delete the binding`,
  },
  'access keys of a session': {
    env: set('AWS_ACCESS_KEY_ID', 'AWS_SECRET_ACCESS_KEY', 'AWS_SESSION_TOKEN'),
    wanted: `its environment has AWS_ACCESS_KEY_ID, AWS_SECRET_ACCESS_KEY and AWS_SESSION_TOKEN. ${KEYS_FIRST}. Remove this from the template, or delete the binding`,
  },
  'an access key alone: its secret may come by envFrom': {
    env: { ...ROLE, ...set('AWS_ACCESS_KEY_ID') },
    wanted: `its environment has AWS_ACCESS_KEY_ID. ${KEYS_FIRST}. Remove this from the template, or delete the binding`,
  },
  'a profile': {
    env: { ...ROLE, ...set('AWS_PROFILE') },
    wanted: `its environment has AWS_PROFILE. ${FILES_FIRST}. Remove this from the template, or delete the binding`,
  },
  'a file of credentials, as Velero mounts it': {
    env: { ...ROLE, ...set('AWS_SHARED_CREDENTIALS_FILE') },
    wanted: `its environment has AWS_SHARED_CREDENTIALS_FILE. ${FILES_FIRST}. Remove this from the template, or delete the binding`,
  },
  'a profile and its file': {
    env: { ...ROLE, ...set('AWS_SHARED_CREDENTIALS_FILE', 'AWS_PROFILE') },
    wanted: `its environment has AWS_PROFILE and AWS_SHARED_CREDENTIALS_FILE. ${FILES_FIRST}. Remove this from the template, or delete the binding`,
  },
  'access keys and a profile: what comes first is told, and all are named': {
    env: { ...ROLE, ...set('AWS_PROFILE', 'AWS_ACCESS_KEY_ID') },
    wanted: `its environment has AWS_ACCESS_KEY_ID and AWS_PROFILE. ${KEYS_FIRST}. Remove this from the template, or delete the binding`,
  },
  'an address for credentials beside the role': {
    env: { ...ROLE, ...set('AWS_CONTAINER_CREDENTIALS_FULL_URI') },
    wanted: `its environment has AWS_CONTAINER_CREDENTIALS_FULL_URI. ${ROLE_FIRST}. Remove this from the template, or delete the binding`,
  },
  'a relative one': {
    env: { ...ROLE, ...set('AWS_CONTAINER_CREDENTIALS_RELATIVE_URI') },
    wanted: `its environment has AWS_CONTAINER_CREDENTIALS_RELATIVE_URI. ${ROLE_FIRST}. Remove this from the template, or delete the binding`,
  },
};
const from = (template: Container['env']) =>
  staticCredentials({ name: 'app', env: { ...ROLE, ...set('AWS_PROFILE', 'AWS_ACCESS_KEY_ID') }, mountsToken: true }, WHERE, template)
    ?.message;
const AGAIN = 'Restart the pods. If they have this again, change that webhook, or delete the binding';

// Contract: pods-static-source
describe('where they come from is said', () => {
  test('of a Secret by its name and that of the key', () => {
    const secrets = { AWS_ACCESS_KEY_ID: 'aws/id', AWS_SECRET_ACCESS_KEY: '…' };
    const one = { name: 'app', env: set('AWS_ACCESS_KEY_ID', 'AWS_SECRET_ACCESS_KEY'), mountsToken: true, secrets };
    expect(staticCredentials(one, WHERE)?.message).toBe(
      `${WHERE}: its environment has AWS_ACCESS_KEY_ID (Secret "aws", key "id") and AWS_SECRET_ACCESS_KEY. ${KEYS_FIRST}. Remove this from the template, or delete the binding`,
    );
  });
  test('of the template', () =>
    expect(from(set('AWS_PROFILE', 'AWS_ACCESS_KEY_ID'))).toMatch(/Remove this from the template, or delete the binding$/));
  test('of another webhook or an older template, where the template does not set them', () =>
    expect(from({})).toBe(
      `${WHERE}: its environment has AWS_ACCESS_KEY_ID and AWS_PROFILE. ${KEYS_FIRST}. The template does not set AWS_ACCESS_KEY_ID and AWS_PROFILE: an older one did, or another webhook does. ${AGAIN}`,
    ));
  test('of both', () =>
    expect(from(set('AWS_PROFILE'))).toBe(
      `${WHERE}: its environment has AWS_ACCESS_KEY_ID and AWS_PROFILE. ${KEYS_FIRST}. Remove AWS_PROFILE from the template. The template does not set AWS_ACCESS_KEY_ID: an older one did, or another webhook does. ${AGAIN}`,
    ));
});

// Contract: pods-static
for (const [sentence, { env, wanted }] of Object.entries(found))
  test(`it finds ${sentence}`, () => expect(judged(env)).toEqual(finding('PodStaticCredentials', `${WHERE}: ${wanted}`)));

const nothing: Record<string, Container['env']> = {
  'the role alone': ROLE,
  'a region': { ...ROLE, ...set('AWS_REGION', 'AWS_DEFAULT_REGION', 'AWS_STS_REGIONAL_ENDPOINTS') },
  'empty variables, as a chart without values writes them': {
    ...ROLE,
    AWS_ACCESS_KEY_ID: '',
    AWS_SECRET_ACCESS_KEY: '',
    AWS_PROFILE: '',
    AWS_SHARED_CREDENTIALS_FILE: '',
    AWS_CONTAINER_CREDENTIALS_FULL_URI: '',
  },
  'a secret key or a session token without an access key': { ...ROLE, ...set('AWS_SECRET_ACCESS_KEY', 'AWS_SESSION_TOKEN') },
  'a file of settings': { ...ROLE, ...set('AWS_CONFIG_FILE') },
  'what EKS Pod Identity sets': set('AWS_CONTAINER_CREDENTIALS_FULL_URI', 'AWS_CONTAINER_AUTHORIZATION_TOKEN_FILE'),
  'other names that begin alike': { ...ROLE, ...set('AWS_ACCESS_KEY_ID_OLD', 'AWS_PROFILE_NAME') },
};
for (const [sentence, env] of Object.entries(nothing)) test(`it says nothing of ${sentence}`, () => expect(judged(env)).toBeUndefined());
