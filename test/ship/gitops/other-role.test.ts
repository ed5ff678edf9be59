import { mkdirSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { beforeAll, expect, test } from 'vitest';
import { integrationSuite } from '../../harness/suite.ts';
import { ACCOUNT, ROLE_ARN } from '../../harness/views.ts';
import { type Helm, helmOf } from '../helm.ts';

/** The how-to of docs/gitops.md for a chart whose values set another role, by the real Helm 4. The tests build on each other. */
const PAGE = readFileSync('docs/gitops.md', 'utf8');
const suite = integrationSuite({ grant: {} });
const OTHER_ROLE = `arn:aws:iam::${ACCOUNT}:role/of-the-old-cluster`;
const WITH_ROLE = { serviceAccount: { annotations: { [ROLE_ARN]: OTHER_ROLE } } };

/** As most charts have it. */
const CHART = {
  'Chart.yaml': JSON.stringify({ apiVersion: 'v2', name: 'app', version: '1.0.0' }),
  'values.yaml': JSON.stringify({ serviceAccount: { annotations: {} }, team: 'shop' }),
  'templates/service-account.yaml': `apiVersion: v1
kind: ServiceAccount
metadata:
  name: app
  labels:
    team: {{ .Values.team }}
  {{- with .Values.serviceAccount.annotations }}
  annotations:
    {{- toYaml . | nindent 4 }}
  {{- end }}
`,
};

let helm: Helm;
let folder: string;
const upgrade = (values: object) => helm(['upgrade', '--install', 'app', folder, '-n', 'chart', '--wait', '--timeout=60s'], values);

beforeAll(() => {
  helm = helmOf(suite.testbed.kubeconfig);
  folder = join(suite.testbed.folder, 'app');
  mkdirSync(join(folder, 'templates'), { recursive: true });
  for (const [path, text] of Object.entries(CHART)) writeFileSync(join(folder, path), text);
});

// Contract: gitops-other-role
test('once irsa-operator has put the role of the binding in the place, an upgrade of the chart fails, as the page quotes it', async () => {
  const s = await suite.scene('chart');
  s.role();
  await upgrade(WITH_ROLE);
  expect(await s.annotations()).toMatchObject({ [ROLE_ARN]: OTHER_ROLE });
  await s.bind();
  await s.conditionIs('Ready', 'True');
  expect(await s.annotations()).toMatchObject({ [ROLE_ARN]: s.roleArn });
  const said = await upgrade({ ...WITH_ROLE, team: 'cart' }).then(String, ({ message }: Error) => message);
  const quoted = /^conflict with "irsa-operator".*$/m.exec(PAGE)?.[0] ?? expect.fail('the page quotes no conflict');
  expect(said).toContain(quoted);
  expect(await s.annotations()).toMatchObject({ [ROLE_ARN]: s.roleArn });
});

// Contract: gitops-other-role
test('without the annotation in the values it succeeds, the role of the binding stays, and nothing contends', async () => {
  const s = await suite.scene('chart');
  await upgrade({ team: 'cart' });
  await suite.secondLook();
  expect(await s.annotations()).toMatchObject({ [ROLE_ARN]: s.roleArn });
  expect((await s.account()).metadata).toMatchObject({ labels: { team: 'cart' } });
  await s.conditionIs('Ready', 'True');
  expect((await s.requests('serviceaccounts')).length).toBe(1);
});

// Contract: gitops-other-role
test('a chart that always writes the annotation can write the role of the binding: equal values are no conflict', async () => {
  const s = await suite.scene('chart');
  await upgrade({ serviceAccount: { annotations: { [ROLE_ARN]: s.roleArn } } });
  expect(await s.annotations()).toMatchObject({ [ROLE_ARN]: s.roleArn });
  await upgrade({});
  expect(await s.annotations()).toMatchObject({ [ROLE_ARN]: s.roleArn });
});

test('with --force-conflicts the former values come back for a moment, and irsa-operator replaces them again', async () => {
  const s = await suite.scene('chart');
  const forced = () => helm(['upgrade', 'app', folder, '-n', 'chart', '--force-conflicts'], WITH_ROLE);
  await forced();
  await suite.secondLook();
  expect(await s.annotations()).toMatchObject({ [ROLE_ARN]: s.roleArn });
  expect((await s.requests('serviceaccounts')).length).toBe(2);
});
