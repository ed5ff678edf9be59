import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, describe, expect, test } from 'vitest';
import { isProblem } from './api/problem.ts';
import { fromFiles } from './check-files.ts';
import { check } from './cli/check/check.ts';
import { statement } from './domain/check/test-seen.ts';
import { ARN, ISSUER, OTHER_ARN, policy, SERVICE } from './domain/test-observed.ts';

/** What is said of manifests before anybody applies them, by files alone. */
const folder = mkdtempSync(join(tmpdir(), 'irsa-check-files-'));
afterAll(() => rmSync(folder, { recursive: true }));

const OTHER_ACCOUNT = 'arn:aws:iam::444455556666:role/app';
const doc = (kind: string, apiVersion: string, name: string, rest: object = {}, namespace = 'shop') => ({
  apiVersion,
  kind,
  metadata: {
    name,
    ...(namespace !== '' && { namespace }),
    ...('annotations' in rest ? { annotations: rest.annotations } : {}),
  },
  ...('spec' in rest ? { spec: rest.spec } : {}),
});
const account = (annotations: object = { 'eks.amazonaws.com/role-arn': ARN }, name = 'app', namespace = 'shop') =>
  doc('ServiceAccount', 'v1', name, { annotations }, namespace);
const podSpec = (container: object = {}, serviceAccountName = 'app') => ({
  serviceAccountName,
  containers: [{ name: 'app', image: 'app', ...container }],
});
const deployment = (container: object = {}, serviceAccountName = 'app') =>
  doc('Deployment', 'apps/v1', 'app', { spec: { template: { spec: podSpec(container, serviceAccountName) } } });
const env = (...pairs: [string, string][]) => ({ env: pairs.map(([name, value]) => ({ name, value })) });
const binding = (spec: object = {}, name = 'app') =>
  doc('IrsaBinding', 'irsa-operator.dev/v1alpha1', name, { spec: { serviceAccountName: 'app', roleArn: ARN, ...spec } });
const grant = (spec: object = {}) => ({
  apiVersion: 'irsa-operator.dev/v1alpha1',
  kind: 'IrsaGrant',
  metadata: { name: 'platform' },
  spec: { roleArns: [ARN], namespaces: { names: ['shop'] }, serviceAccountNames: ['app'], ...spec },
});
const gaad = (roles: Record<string, string>) => ({
  RoleDetailList: Object.entries(roles).map(([Arn, document]) => ({
    Arn,
    RoleId: 'AROAX',
    AssumeRolePolicyDocument: JSON.parse(document),
  })),
});
const trusting = policy(SERVICE, statement());
const terraform = (values: object, more: readonly object[] = []) => ({
  format_version: '1.2',
  planned_values: { root_module: { resources: [{ address: 'aws_iam_role.app', mode: 'managed', type: 'aws_iam_role', values }, ...more] } },
});
const provider = (values: object) => ({ address: 'p', mode: 'managed', type: 'aws_iam_openid_connect_provider', values });

let files = 0;
function write(content: unknown, ending: string): string {
  const file = join(folder, `${files++}.${ending}`);
  writeFileSync(file, typeof content === 'string' ? content : JSON.stringify(content));
  return file;
}

interface Case {
  readonly manifests: readonly object[];
  readonly iam?: unknown;
  readonly given?: Record<string, string | undefined>;
  readonly operands?: readonly string[];
}
async function report({ manifests, iam, given = {}, operands = [] }: Case) {
  const filename = manifests.map((one) => write(one, 'yaml'));
  const all = { filename, 'fail-on': 'Warning', ...(iam === undefined ? {} : { iam: [write(iam, 'json')], issuer: ISSUER }), ...given };
  const source = await fromFiles(all, operands);
  if (isProblem(source)) throw new Error(source.problem);
  const found = await check(
    source.target,
    all,
    source.where,
    source.ports,
    { kubectl: [], aws: [], check: [] },
    AbortSignal.timeout(5_000),
  );
  return { ...found, filename };
}

/** A letter for each step, in their order: ok, FAIL, ? (not read), - (not in the files). */
const LETTERS = { ok: 'o', fail: 'F', unread: '?', skipped: '-', accepted: 'a' };
interface Row extends Case {
  readonly steps: string;
  readonly codes?: readonly string[];
  readonly exit: 0 | 1 | 2;
  /** Of any step. */
  readonly says?: RegExp;
}

const rows: Record<string, Row> = {
  'all is right': { manifests: [account(), deployment()], iam: gaad({ [ARN]: trusting }), steps: 'oo--oo', exit: 0 },
  'without --iam only the manifests are judged': { manifests: [account(), deployment()], steps: 'oo---o', exit: 0 },
  'without --issuer the trust policy cannot be judged': {
    manifests: [account(), deployment()],
    iam: gaad({ [ARN]: trusting }),
    given: { issuer: undefined },
    steps: 'oo-??o',
    exit: 2,
    says: /files do not say the issuer of the cluster\. Name the issuer with --issuer/,
  },
  'there is no pod of it': { manifests: [account()], iam: gaad({ [ARN]: trusting }), steps: 'oo--o-', exit: 0 },

  // The annotation
  'a misspelt key': {
    manifests: [account({ 'eks.amazon.com/role-arn': ARN }), deployment()],
    steps: 'oF----',
    codes: ['AnnotationKeyMisspelt'],
    exit: 1,
  },
  'no ARN of a role': {
    manifests: [account({ 'eks.amazonaws.com/role-arn': 'lbc' })],
    steps: 'oF----',
    codes: ['AnnotationMalformed'],
    exit: 1,
  },
  'a ServiceAccount without an annotation, named': {
    manifests: [account({}), deployment()],
    iam: gaad({ [ARN]: trusting }),
    operands: ['deploy/app'],
    given: { namespace: 'shop' },
    steps: 'oF----',
    codes: ['AnnotationMissing'],
    exit: 1,
    says: new RegExp(`The trust policy of "${ARN}" allows it`),
  },

  // The role and its trust policy
  'a blank in the subject': {
    manifests: [account(), deployment()],
    iam: gaad({ [ARN]: policy(statement('system:serviceaccount: shop:app')) }),
    steps: 'oo--Fo',
    codes: ['TrustSubjectWhitespace'],
    exit: 1,
  },
  'a role that the account does not have': {
    manifests: [account(), deployment()],
    iam: gaad({ [OTHER_ARN]: trusting }),
    steps: 'oo--Fo',
    codes: ['RoleNotFound'],
    exit: 1,
  },
  'a role whose path is another': {
    manifests: [account(), deployment()],
    iam: gaad({ [ARN.replace(/role\/.*\//, 'role/elsewhere/').replace(/role\/([^/]+)$/, 'role/elsewhere/$1')]: trusting }),
    steps: 'oo--Fo',
    codes: ['RoleArnMismatch'],
    exit: 1,
  },
  'a role of another account': {
    manifests: [account({ 'eks.amazonaws.com/role-arn': OTHER_ACCOUNT }), deployment()],
    iam: gaad({ [ARN]: trusting }),
    steps: 'oo---o',
    exit: 0,
    says: /the role is in account 444455556666, and the files of --iam are of account 111122223333/,
  },
  'a role that Terraform makes': {
    manifests: [account(), deployment()],
    iam: terraform({ arn: ARN, assume_role_policy: policy(SERVICE) }),
    steps: 'oo--Fo',
    codes: ['TrustNoWebIdentityStatement'],
    exit: 1,
  },
  'a role that another state of Terraform has': {
    manifests: [account(), deployment()],
    iam: terraform({ arn: OTHER_ARN, assume_role_policy: trusting }),
    steps: 'oo---o',
    exit: 0,
  },
  'a policy that is known only after terraform apply': {
    manifests: [account(), deployment()],
    iam: terraform({ arn: ARN }),
    steps: 'oo---o',
    exit: 0,
  },
  'a provider of the plan, without the audience': {
    manifests: [account(), deployment()],
    iam: terraform({ arn: ARN, assume_role_policy: trusting }, [provider({ url: ISSUER, client_id_list: ['other'] })]),
    steps: 'oo-Foo',
    codes: ['OidcProviderAudienceMissing'],
    exit: 1,
  },

  // Pods to come
  'static keys in a template': {
    manifests: [account(), deployment(env(['AWS_ACCESS_KEY_ID', 'x']))],
    steps: 'oo---F',
    codes: ['PodStaticCredentials'],
    exit: 1,
  },
  'half of the variables in a template': {
    manifests: [account(), deployment(env(['AWS_ROLE_ARN', ARN]))],
    steps: 'oo---F',
    codes: ['PodPartialInjection'],
    exit: 1,
  },
  'a CronJob with another role in its template': {
    manifests: [
      account(),
      doc('CronJob', 'batch/v1', 'nightly', {
        spec: { jobTemplate: { spec: { template: { spec: podSpec(env(['AWS_ROLE_ARN', ''], ['AWS_WEB_IDENTITY_TOKEN_FILE', '/x'])) } } } },
      }),
    ],
    steps: 'oo---F',
    codes: ['PodPartialInjection'],
    exit: 1,
  },

  // Bindings and grants
  'a binding brings about what is missing': {
    manifests: [account({}), deployment(), binding(), grant()],
    iam: gaad({ [ARN]: policy(SERVICE) }),
    steps: 'ooo--oo',
    exit: 0,
  },
  'a binding, and its ServiceAccount elsewhere': { manifests: [binding()], steps: 'o------', exit: 0 },
  'a binding that only looks brings nothing about': {
    manifests: [account(), deployment(), binding({ mode: 'Observe' })],
    iam: gaad({ [ARN]: policy(SERVICE) }),
    steps: 'ooo--Fo',
    codes: ['TrustNoWebIdentityStatement'],
    exit: 1,
  },
  'a binding whose trust policy is external': {
    manifests: [account(), deployment(), binding({ trustPolicy: 'External' })],
    iam: gaad({ [ARN]: policy(SERVICE) }),
    steps: 'ooo--Fo',
    codes: ['TrustNoWebIdentityStatement'],
    exit: 1,
  },
  'a binding that no grant covers': {
    manifests: [binding(), grant({ serviceAccountNames: ['web'] })],
    steps: 'F------',
    codes: ['NotGranted'],
    exit: 1,
  },
  'a grant by labels that no file has': {
    manifests: [binding(), grant({ namespaces: { selector: { matchLabels: { team: 'shop' } } } })],
    steps: '-------',
    exit: 0,
    says: /no file has the labels of namespace "shop"/,
  },
  'a grant by labels that the files have': {
    manifests: [
      binding(),
      grant({ namespaces: { selector: { matchLabels: { team: 'shop' } } } }),
      { apiVersion: 'v1', kind: 'Namespace', metadata: { name: 'shop', labels: { team: 'other' } } },
    ],
    steps: 'F------',
    codes: ['NotGranted'],
    exit: 1,
  },
  'a binding with a misspelt field': {
    manifests: [binding({ roleARN: ARN })],
    steps: 'F------',
    codes: ['InvalidSpec'],
    exit: 1,
    says: /spec has no field "roleARN"/,
  },
  'a binding without the ARN of a role': { manifests: [binding({ roleArn: 'lbc' })], steps: 'F------', codes: ['InvalidSpec'], exit: 1 },
  'two bindings of one ServiceAccount': {
    manifests: [binding(), binding({}, 'second')],
    steps: 'F------',
    codes: ['ServiceAccountTaken'],
    exit: 1,
    says: /"second" binds ServiceAccount "app" too/,
  },
  'two of which one only looks': { manifests: [binding(), binding({ mode: 'Observe' }, 'second')], steps: 'o------', exit: 0 },
};

// Contract: check-offline
describe('manifests in place of a cluster', () => {
  for (const [sentence, { steps: wanted, codes = [], exit, says, ...given }] of Object.entries(rows))
    test(sentence, async () => {
      const { checked, exitCode } = await report(given);
      const steps = checked[0]?.check.steps ?? [];
      expect(steps.map(({ state }) => LETTERS[state]).join('')).toBe(wanted);
      expect(steps.flatMap(({ findings }) => findings.map(({ code }) => code))).toEqual(codes);
      expect(exitCode).toBe(exit);
      if (says !== undefined) expect(steps.map(({ text }) => text).join('\n')).toMatch(says);
    });

  test('every ServiceAccount that asks for a role is checked, and every one that a binding names', async () => {
    const manifests = [
      account(),
      account({}, 'plain'),
      account({ 'eks.amazon.com/role-arn': ARN }, 'slip'),
      binding({ serviceAccountName: 'bound' }),
    ];
    expect((await report({ manifests })).checked.map(({ name }) => name)).toEqual(['app', 'slip', 'bound']);
  });

  test('objects without a namespace are in that of -n, else in "default"', async () => {
    const namespaces = async (given: Record<string, string>) =>
      (await report({ manifests: [account(undefined, 'app', '')], given })).checked.map(({ namespace }) => namespace);
    expect([await namespaces({}), await namespaces({ namespace: 'shop' })]).toEqual([['default'], ['shop']]);
  });

  test('a step knows where the thing stands that it judges', async () => {
    const text = `apiVersion: v1
kind: ServiceAccount
metadata:
  name: app
  annotations:
    eks.amazonaws.com/role-arn: ${ARN}
---
apiVersion: apps/v1
kind: Deployment
metadata:
  name: app
spec:
  template:
    spec:
      serviceAccountName: app
      containers: [{name: app}]
`;
    const filename = [write(text, 'yaml')];
    const source = await fromFiles({ filename }, []);
    if (isProblem(source)) throw new Error(source.problem);
    const places = source.ports.files?.placesOf({ namespace: 'default', name: 'app' }) ?? {};
    expect(Object.entries(places).map(([step, place]) => `${step} ${place.line}:${place.column}`)).toEqual([
      'ServiceAccount 4:3',
      'Annotation 6:5',
      'Webhook 15:7',
      'OIDC provider 6:5',
      'Trust policy 6:5',
      'Pods 15:7',
    ]);
  });

  test('no command is printed for what a file says: the statement is, and the trust policy where it is asked for', async () => {
    const wrong = {
      manifests: [account({ 'eks.amazon.com/role-arn': ARN }), deployment()],
      iam: gaad({ [ARN]: policy(SERVICE) }),
      given: { 'role-arn': ARN, print: 'trust', namespace: 'shop' },
      operands: ['sa/app'],
    };
    const { checked, trust } = await report(wrong);
    const { kubectl, aws, restarts, terraform } = checked[0]?.fixes ?? {};
    expect([kubectl, aws, restarts]).toEqual([[], [], []]);
    expect(terraform?.[0]).toBe('statement {');
    expect(trust).toContain('system:serviceaccount:shop:app');
  });
});

// Contract: check-offline, check-exit-codes
describe('files that make no sense: one sentence', () => {
  const odd: Record<string, { given: () => Record<string, string[] | string>; says: RegExp }> = {
    'manifests that are no YAML': { given: () => ({ filename: [write('a: [', 'yaml')] }), says: /is not YAML: / },
    'a file that is not there': { given: () => ({ filename: [join(folder, 'none')] }), says: /none" cannot be read: ENOENT/ },
    'IAM that is no JSON': {
      given: () => ({ filename: [write(account(), 'yaml')], iam: [write('a: b', 'json')] }),
      says: /is not JSON: .*Wanted: the output of "aws iam get-account-authorization-details"/,
    },
    'IAM without roles': {
      given: () => ({ filename: [write(account(), 'yaml')], iam: [write({}, 'json')] }),
      says: /has no roles\. Wanted: /,
    },
    'roles of two accounts': {
      given: () => ({ filename: [write(account(), 'yaml')], iam: [write(gaad({ [ARN]: trusting, [OTHER_ACCOUNT]: trusting }), 'json')] }),
      says: /--iam: the roles are in several accounts \(111122223333, 444455556666\)\. Check one account at a time/,
    },
    'an object that stands twice': {
      given: () => ({ filename: [write(account(), 'yaml'), write(account(), 'yaml')] }),
      says: /^ServiceAccount shop\/app is in ".*", line 1 and in ".*", line 1\. Check one of the two$/,
    },
    'an object without a name': {
      given: () => ({ filename: [write('kind: ServiceAccount\napiVersion: v1\nmetadata: {name: {{ x }}}', 'yaml')] }),
      says: /line 3: ServiceAccount has no metadata\.name/,
    },
    'a grant with a misspelt field': {
      given: () => ({ filename: [write(grant({ audience: ['x'] }), 'yaml')] }),
      says: /^IrsaGrant "platform": spec has no field "audience"$/,
    },
    'a flag of a cluster': {
      given: () => ({ filename: [write(account(), 'yaml')], context: 'prod' }),
      says: /^-f reads files, and no cluster\. Leave out --context$/,
    },
  };
  for (const [sentence, { given, says }] of Object.entries(odd))
    test(sentence, async () => {
      const said = await fromFiles(given(), []).then(
        (source) => (isProblem(source) ? source.problem : ''),
        (error: Error) => error.message,
      );
      expect(said).toMatch(says);
    });
});
