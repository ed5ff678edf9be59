import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { type Api, type AwsDouble, connect, startTestbed, type Testbed, until } from '@irsa-operator/testbed';
import { unusedGrants } from '@irsa-operator/testbed/aws';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { parse, stringify } from 'yaml';
import { allowPerson, COMMANDS_IAM, COMMANDS_RBAC, callsOfPerson, kubeconfigOfPerson, reportOf, runCommand } from '../harness/command.ts';
import { binding, grant } from '../harness/objects.ts';
import { install, type RunningOperator, startOperator } from '../harness/operator.ts';
import { allowing, EC2, FOREIGN, hostOf, policy, providerOf, statementsIn } from '../harness/policies.ts';
import { openScene, type Scene } from '../harness/scene.ts';
import { SWEEP } from '../harness/suite.ts';
import { ACCOUNT, type Binding, ROLE_ARN, type Statement, uidsOf } from '../harness/views.ts';

/**
 * Two clusters and one AWS account: `blue` is at work, `green` comes beside it. The commands are run by a person with the rights of
 * docs/commands.md; the tests are a story and run in their order.
 */
const PATIENCE = { timeoutMs: 60_000 };

interface Cluster {
  readonly testbed: Testbed;
  readonly api: Api;
  /** Of the person. */
  readonly kubeconfig: string;
}

let blue: Cluster;
let green: Cluster;
let aws: AwsDouble;
let blueOperator: RunningOperator | undefined;
let greenOperator: RunningOperator | undefined;
const folder = mkdtempSync(join(tmpdir(), 'irsa-operator-manifests-'));

beforeAll(async () => {
  const [first, second] = await Promise.all([startTestbed(), startTestbed()]);
  aws = second.aws;
  blue = await furnish({ ...first, aws });
  green = await furnish(second);
});

afterAll(async () => {
  await Promise.all([blueOperator?.stop(), greenOperator?.stop()]);
  for (const cluster of [blue, green]) {
    cluster?.api.close();
    await cluster?.testbed.stop();
  }
  rmSync(folder, { recursive: true, force: true });
});

async function furnish(testbed: Testbed): Promise<Cluster> {
  aws.account().provider.put({ issuer: testbed.issuer });
  await install(testbed);
  await allowPerson(testbed);
  return { testbed, api: connect(testbed.kubeconfig), kubeconfig: kubeconfigOfPerson(testbed) };
}

const command = (args: readonly string[], cluster?: Cluster) =>
  runCommand(aws, [...args, '-o', 'json'], { kubeconfig: cluster?.kubeconfig });
const writesOfPerson = () =>
  callsOfPerson(aws)
    .filter(({ operation }) => operation === 'UpdateAssumeRolePolicy')
    .map(({ params, code }) => [params['RoleName'], code]);
const policyOf = (name: string) => aws.account().role.get(name)?.trustPolicy ?? '{}';

const statementsOf = (name: string) => statementsIn(policyOf(name));
const subjectsOf = (name: string, { testbed: { issuer } }: Cluster): string[] =>
  statementsOf(name)
    .filter(({ Principal }) => Principal.Federated === providerOf(issuer))
    .flatMap(({ Condition }) => Condition?.['StringEquals']?.[`${hostOf(issuer)}:sub`] ?? []);

/** The same namespace in a cluster, its grant and its binding, as Git has them. */
async function declared({ testbed, api }: Cluster): Promise<Scene> {
  const s = await openScene(testbed, api, 'shop');
  await s.serviceAccount({ [ROLE_ARN]: s.roleArn });
  await s.grant({ serviceAccountNames: ['app'] });
  return s;
}

describe('a new cluster beside the old one', () => {
  let old: Scene;
  let coming: Scene;

  beforeAll(async () => {
    aws.account().role.put({ name: 'role-of-shop', trustPolicy: FOREIGN });
    blueOperator = await startOperator(blue.testbed, SWEEP);
    old = await declared(blue);
    await old.bind();
    await old.conditionIs('Ready', 'True');
  });

  test('is told what it will need, and nothing is written, with --dry-run', async () => {
    const before = policyOf(old.roleName);
    const ended = await command(['prepare', '--issuer', green.testbed.issuer, '--dry-run'], blue);
    const { results, statements } = reportOf(ended);
    expect([ended.code, results, policyOf(old.roleName), writesOfPerson()]).toEqual([
      0,
      [{ result: 'planned', role: old.roleArn, subject: old.subject, audience: 'sts.amazonaws.com' }],
      before,
      [],
    ]);
    const statement = allowing(green.testbed.issuer, [old.subject], { Sid: expect.stringMatching(/^Irsa[a-z2-7]{12}$/) });
    expect(statements).toEqual([{ role: old.roleArn, statement }]);
  });

  test('gets no statement while the account has no OIDC provider for it', async () => {
    aws.account().provider.delete(green.testbed.issuer);
    const ended = await command(['prepare', '--issuer', green.testbed.issuer], blue);
    aws.account().provider.put({ issuer: green.testbed.issuer });
    expect([ended.code, reportOf(ended).results.map(({ result }) => result), writesOfPerson()]).toEqual([1, ['refused'], []]);
    expect(ended.stdout).toContain(`OidcProviderMissing: account ${ACCOUNT} has no OIDC provider for \\"${green.testbed.issuer}\\"`);
  });

  // Contract: blue-green
  test('is prepared by one write, which changes nothing else, and its first pods get in before any operator runs there', async () => {
    const before = statementsOf(old.roleName);
    const ended = await command(['prepare', '--issuer', green.testbed.issuer], blue);
    expect([ended.code, reportOf(ended).results.map(({ result }) => result)]).toEqual([0, ['added']]);
    expect(writesOfPerson()).toEqual([[old.roleName, 'OK']]);
    expect(statementsOf(old.roleName).slice(0, before.length)).toEqual(before);
    expect(subjectsOf(old.roleName, green)).toEqual([old.subject]);

    coming = await declared(green);
    await coming.deployment();
    const pods = await coming.allReady();
    expect(pods.map(({ status }) => status.containerStatuses?.[0]?.restartCount)).toEqual([0, 0]);
  });

  // Contract: blue-green
  test('takes over without a write: what stands is what its bindings want', async () => {
    const pods = uidsOf(await coming.pods());
    const written = coming.writes().length;
    greenOperator = await startOperator(green.testbed, SWEEP);
    await coming.bind();
    await coming.conditionIs('Trusted', 'True', 'AllowedByOperator');
    await coming.conditionIs('Ready', 'True');
    expect(coming.writes().length).toBe(written);
    expect(uidsOf(await coming.pods())).toEqual(pods);
    expect(await coming.eventReasons()).not.toContain('TrustPolicyWritten');
    const again = await command(['prepare', '--issuer', green.testbed.issuer], blue);
    expect([again.code, reportOf(again).results.map(({ result }) => result), coming.writes().length]).toEqual([0, ['standing'], written]);
  });

  test('cannot be released by whoever reaches it, nor by whoever reaches nobody', async () => {
    const before = policyOf(old.roleName);
    const here = await command(['release', '--issuer', green.testbed.issuer], green);
    expect([here.code, here.stdout]).toEqual([2, '']);
    expect(here.stderr).toBe(
      `irsa-operator release: "${green.testbed.issuer}" is the issuer of the cluster that the kubeconfig reaches. To release it would lock out its pods. Nothing was removed\n`,
    );
    const gone = join(folder, 'gone.kubeconfig');
    writeFileSync(gone, JSON.stringify({ ...kubeconfigTo('https://127.0.0.1:1') }));
    const nobody = await runCommand(aws, ['release', '--issuer', green.testbed.issuer], { kubeconfig: gone });
    expect(nobody.code).toBe(2);
    expect(nobody.stderr).toMatch(/^irsa-operator release: nothing was removed, because the cluster of the kubeconfig did not say .*\n$/);
    expect(policyOf(old.roleName)).toBe(before);
  });

  // Contract: blue-green
  test('stays when the old one is released, whose statements go from every role, and nothing else', async () => {
    aws.account().role.put({ name: 'other', trustPolicy: policy(blueStatement()) });
    expect(await blueOperator?.stop()).toBe(0);
    blueOperator = undefined;
    const planned = await command(['release', '--issuer', blue.testbed.issuer, '--dry-run'], green);
    expect([planned.code, reportOf(planned).results.map(({ result, role }) => [result, role])]).toEqual([
      0,
      [
        ['planned', `arn:aws:iam::${ACCOUNT}:role/other`],
        ['planned', old.roleArn],
      ],
    ]);
    expect(subjectsOf(old.roleName, blue)).toEqual([old.subject]);
    const ended = await command(['release', '--issuer', blue.testbed.issuer], green);
    expect([ended.code, reportOf(ended).results.map(({ result }) => result)]).toEqual([0, ['removed', 'removed']]);
    expect(statementsOf(old.roleName).filter(({ Sid }) => Sid === 'Ec2')).toEqual([EC2]);
    expect([statementsOf(old.roleName).length, subjectsOf(old.roleName, blue), subjectsOf(old.roleName, green)]).toEqual([
      2,
      [],
      [old.subject],
    ]);
    expect(subjectsOf('other', blue)).toEqual(['system:serviceaccount:-:-']);
    await coming.conditionIs('Ready', 'True');
  });

  /** As blue's operator left it in a role of its own. */
  function blueStatement(): Statement {
    const found = statementsOf(old.roleName).find(({ Principal }) => Principal.Federated === providerOf(blue.testbed.issuer));
    if (found === undefined) throw new Error('no statement of blue stands');
    return found;
  }
});

describe('a subject that no binding names', () => {
  let shop: Scene;
  const ghost = 'system:serviceaccount:shop:ghost';
  const manifests = join(folder, 'ghost');

  beforeAll(async () => {
    shop = await openScene(green.testbed, green.api, 'shop');
    const spec = { serviceAccountName: 'ghost', roleArn: shop.roleArn };
    const granted = { roleArns: [shop.roleArn], namespaces: { names: ['shop'] }, serviceAccountNames: ['ghost'] };
    const documents = [
      { ...binding(spec), metadata: { name: 'ghost', namespace: 'shop' } },
      { ...grant(granted), metadata: { name: 'ghost' } },
      { apiVersion: 'v1', kind: 'ConfigMap', metadata: { name: 'x' } },
    ];
    writeFileSync(manifests, documents.map((document) => stringify(document)).join('---\n'));
  });

  test('comes about when manifests are prepared that nobody applies', async () => {
    const ended = await command(['prepare', '--issuer', green.testbed.issuer, '-f', manifests]);
    expect([ended.code, reportOf(ended).results]).toEqual([
      0,
      [{ result: 'added', role: shop.roleArn, subject: ghost, audience: 'sts.amazonaws.com' }],
    ]);
    const told = async () => (await shop.findings())?.includes('TrustOrphaned');
    await until('the operator tells of the orphan', told, PATIENCE);
  });

  // Contract: rule-prune
  test('is listed by prune, and stays', async () => {
    const before = policyOf(shop.roleName);
    const ended = await command(['prune'], green);
    expect([ended.code, reportOf(ended).results]).toEqual([
      1,
      [{ result: 'orphaned', role: shop.roleArn, subject: ghost, audience: 'sts.amazonaws.com' }],
    ]);
    expect(ended.stderr).toBe(
      `irsa-operator prune: "${green.testbed.issuer}": 1 orphaned; irsa-operator prune --sole-cluster --confirm removes them, if no other cluster has this issuer\n`,
    );
    expect(policyOf(shop.roleName)).toBe(before);
  });

  test('is kept by a binding for it, though that is suspended and its status empty', async () => {
    await shop.bind({ serviceAccountName: 'ghost', suspend: true }, 'ghost');
    const ended = await command(['prune', '--sole-cluster', '--confirm'], green);
    await shop.unbind('ghost');
    expect([ended.code, reportOf(ended).results, subjectsOf(shop.roleName, green).toSorted()]).toEqual([0, [], [shop.subject, ghost]]);
  });

  // Contract: rule-prune
  test('is removed by prune --confirm, from a paused role too, and every other statement goes out as it came in', async () => {
    shop.setTags({ 'irsa-operator.dev/paused': 'true' });
    await shop.gone('ghost');
    expect((await shop.list<Binding>('irsabindings')).map(({ metadata }) => metadata.name)).toEqual(['app']);
    const ended = await command(['prune', '--sole-cluster', '--confirm'], green);
    shop.setTags({});
    expect([ended.code, reportOf(ended).results.map(({ result, subject }) => [result, subject])]).toEqual([0, [['removed', ghost]]]);
    expect(shop.writes().at(-1)).toContain(JSON.stringify(EC2));
    expect([subjectsOf(shop.roleName, green), statementsOf(shop.roleName)[0]]).toEqual([[shop.subject], EC2]);
    const again = await runCommand(aws, ['prune'], { kubeconfig: green.kubeconfig });
    expect(again).toEqual({
      code: 0,
      stdout: '',
      stderr: `irsa-operator prune: "${green.testbed.issuer}": no orphans: a binding names every subject of the statements of irsa-operator\n`,
    });
    await shop.conditionIs('Ready', 'True');
  });

  test('is nobody by the bindings of another cluster: prune refuses an issuer that is not the one of the cluster', async () => {
    const before = policyOf(shop.roleName);
    const ended = await command(['prune', '--sole-cluster', '--confirm', '--oidc-issuer', green.testbed.issuer], blue);
    expect([ended.code, ended.stdout, policyOf(shop.roleName)]).toEqual([2, '', before]);
    expect(ended.stderr).toContain(`--oidc-issuer says "${green.testbed.issuer}", and the API server of the kubeconfig issues tokens as`);
  });
});

describe('a subject that no grant covers', () => {
  let shop: Scene;
  const manifests = join(folder, 'uncovered');
  const ghost = 'system:serviceaccount:shop:ghost';
  const stray = 'system:serviceaccount:nowhere:stray';
  const listed = (result: string, subject: string, message?: string) => ({
    result,
    role: shop.roleArn,
    subject,
    audience: 'sts.amazonaws.com',
    ...(message === undefined ? {} : { message }),
  });

  /** Prepared by a grant of the manifests, which the cluster does not have. */
  beforeAll(async () => {
    shop = await openScene(green.testbed, green.api, 'shop');
    const granted = { roleArns: [shop.roleArn], namespaces: { names: ['shop', 'nowhere'] }, serviceAccountNames: ['*'] };
    const bound = (name: string, namespace: string) => ({
      ...binding({ serviceAccountName: name, roleArn: shop.roleArn }),
      metadata: { name, namespace },
    });
    const documents = [bound('ghost', 'shop'), bound('stray', 'nowhere'), { ...grant(granted), metadata: { name: 'all' } }];
    writeFileSync(manifests, documents.map((document) => stringify(document)).join('---\n'));
    const ended = await command(['prepare', '--issuer', green.testbed.issuer, '-f', manifests]);
    expect(reportOf(ended).results.map(({ result }) => result)).toEqual(['added', 'added']);
    await shop.bind({ serviceAccountName: 'ghost' }, 'ghost');
    await shop.conditionIs('Authorized', 'False', 'NotGranted', 'ghost');
  });

  // Contract: rule-prune-ungranted
  test('is listed by prune --ungranted, whether a binding names it or not, and stays', async () => {
    const before = policyOf(shop.roleName);
    const orphans = await command(['prune'], green);
    expect([orphans.code, reportOf(orphans).results]).toEqual([1, [listed('orphaned', stray)]]);
    const ended = await command(['prune', '--ungranted'], green);
    const bySubject = reportOf(ended).results.toSorted((a, b) => ((a.subject ?? '') < (b.subject ?? '') ? -1 : 1));
    expect([ended.code, bySubject]).toEqual([1, [listed('ungranted', stray), listed('ungranted', ghost)]]);
    expect(ended.stderr).toBe(
      `irsa-operator prune: "${green.testbed.issuer}": 2 ungranted; irsa-operator prune --ungranted --sole-cluster --confirm removes them, if no other cluster has this issuer\n`,
    );
    expect(policyOf(shop.roleName)).toBe(before);
  });

  // Contract: rule-prune-ungranted
  test('is not known while a grant cannot be read: prune --ungranted refuses, and nothing is removed', async () => {
    const before = policyOf(shop.roleName);
    // The schema lets this key pass.
    await shop.grant({ requiredRoleTags: JSON.parse('{"__proto__": "x"}') }, 'broken');
    const ended = await command(['prune', '--ungranted', '--sole-cluster', '--confirm'], green);
    await shop.loseGrant('broken');
    expect([ended.code, ended.stdout, policyOf(shop.roleName)]).toEqual([2, '', before]);
    expect(ended.stderr).toBe(
      'irsa-operator prune: IrsaGrant "broken" cannot be read: spec.requiredRoleTags: the key "__proto__" cannot be compared, so this grants nothing. Remove it. Which subjects it covers is not known. Correct it or delete it\n',
    );
  });

  // Contract: rule-prune-ungranted
  test('is removed by prune --ungranted --confirm. One whose namespace does not exist is told and kept where a grant selects by label', async () => {
    await shop.grant({ namespaces: { selector: { matchLabels: { team: 'a' } } } }, 'by-label');
    const ended = await command(['prune', '--ungranted', '--sole-cluster', '--confirm'], green);
    await shop.loseGrant('by-label');
    const why =
      'namespace "nowhere" does not exist, so its labels are not known, and an IrsaGrant selects namespaces by label. The subject is kept. If it is no longer needed, and no other cluster has this issuer, run: irsa-operator prune --sole-cluster --confirm';
    expect([ended.code, reportOf(ended).results]).toEqual([1, [listed('removed', ghost), listed('refused', stray, why)]]);
    expect(subjectsOf(shop.roleName, green).toSorted()).toEqual([stray, shop.subject].toSorted());
    const orphans = await command(['prune', '--sole-cluster', '--confirm'], green);
    expect([orphans.code, reportOf(orphans).results]).toEqual([0, [listed('removed', stray)]]);
  });

  test('stays out, and the others keep their trust', async () => {
    await shop.lookAgain();
    await shop.unbind('ghost');
    await shop.gone('ghost');
    expect([subjectsOf(shop.roleName, green), statementsOf(shop.roleName)[0]]).toEqual([[shop.subject], EC2]);
    const again = await runCommand(aws, ['prune', '--ungranted'], { kubeconfig: green.kubeconfig });
    expect(again).toEqual({
      code: 0,
      stdout: '',
      stderr: `irsa-operator prune: "${green.testbed.issuer}": a grant covers every subject of the statements of irsa-operator\n`,
    });
    await shop.conditionIs('Ready', 'True');
  });
});

describe('what is wrong', () => {
  test('in a manifest is told with file and document, and nothing is written nor asked of AWS', async () => {
    const good = join(folder, 'bad', 'a.yaml');
    const bad = join(folder, 'bad', 'b.yaml');
    mkdirSync(join(folder, 'bad'));
    const spec = { serviceAccountName: 'app', roleArn: `arn:aws:iam::${ACCOUNT}:role/role-of-shop` };
    writeFileSync(good, stringify({ ...binding(spec), metadata: { name: 'a', namespace: 'shop' } }));
    writeFileSync(bad, 'kind: ConfigMap\n---\nspec: {\n');
    const calls = callsOfPerson(aws).length;
    const ended = await command(['prepare', '--issuer', blue.testbed.issuer, '-f', join(folder, 'bad')]);
    expect([ended.code, ended.stdout, callsOfPerson(aws).length]).toEqual([2, '', calls]);
    expect(ended.stderr).toMatch(/^irsa-operator prepare: "[^"]*b\.yaml", document 2: not YAML: .*. Nothing was written\n$/);
  });

  test('with the rights is told: each of those that the page names is needed', async () => {
    const role = parse(COMMANDS_RBAC) as { rules: { resources?: string[]; resourceNames?: string[] }[] };
    const needs = [['prune'], ['prune', '--ungranted'], ['prepare', '--issuer', green.testbed.issuer, '--dry-run']];
    const codes: [left: string, codes: number[]][] = [];
    for (const [left, rules] of leftOut(role.rules)) {
      await allowPerson(green.testbed, stringify({ ...role, rules }));
      const ended = [];
      for (const args of needs) {
        const { code, stderr } = await command(args, green);
        if (code === 2) expect(stderr).toMatch(/^irsa-operator (prune|prepare): .*the API server answered 403 to GET .*\n$/);
        ended.push(code ?? -1);
      }
      codes.push([left, ended]);
    }
    await allowPerson(green.testbed);
    expect(codes).toEqual([
      ['irsabindings', [2, 0, 2]],
      ['irsagrants', [0, 2, 2]],
      ['namespaces', [0, 2, 2]],
      ['irsabindings.irsa-operator.dev', [2, 2, 0]],
      ['irsagrants.irsa-operator.dev', [0, 2, 0]],
      ['the issuer', [2, 2, 2]],
    ]);
  });

  /** The rules without one of them each time, or without one of the names in it. */
  function leftOut<Rule extends { resources?: string[]; resourceNames?: string[] }>(rules: readonly Rule[]): [string, Rule[]][] {
    return rules.flatMap((rule, at) => {
      const { resources = ['the issuer'], resourceNames } = rule;
      if (resourceNames === undefined) return [[resources.join(), rules.toSpliced(at, 1)]];
      return resourceNames.map((name): [string, Rule[]] => [
        name,
        rules.with(at, { ...rule, resourceNames: resourceNames.filter((other) => other !== name) }),
      ]);
    });
  }

  test('with the flags is told, with the usage', async () => {
    const ended = await runCommand(aws, ['release', '--confirm'], { kubeconfig: green.kubeconfig });
    expect([ended.code, ended.stdout]).toEqual([2, '']);
    expect(ended.stderr).toMatch(/^irsa-operator release: Unknown option '--confirm'.*\n\nusage: node dist\/irsa-operator\.mjs release/);
  });
});

test('Ctrl-C lets the role at hand come to its end, begins no other, and the report is what stands', async () => {
  const names = Array.from({ length: 12 }, (_, at) => `many-${String(at).padStart(2, '0')}`);
  for (const name of names) aws.account().role.put({ name, trustPolicy: FOREIGN });
  const documents = names.map((name) => ({
    ...binding({ serviceAccountName: name, roleArn: `arn:aws:iam::${ACCOUNT}:role/${name}` }),
    metadata: { name, namespace: 'shop' },
  }));
  const spec = { roleArns: [`arn:aws:iam::${ACCOUNT}:role/many-*`], namespaces: { names: ['shop'] }, serviceAccountNames: ['*'] };
  const file = join(folder, 'many.yaml');
  writeFileSync(file, [...documents, { ...grant(spec), metadata: { name: 'many' } }].map((document) => stringify(document)).join('---\n'));
  const before = writesOfPerson().length;
  const ended = await runCommand(aws, ['prepare', '--issuer', green.testbed.issuer, '-f', file, '-o', 'json'], {
    async started(kill) {
      await until('a few roles were written', () => writesOfPerson().length > before + 2, PATIENCE);
      kill('SIGINT');
    },
  });
  expect(ended.code).toBe(2);
  const { results } = reportOf(ended);
  const added = results.filter(({ result }) => result === 'added').map(({ role }) => role);
  const stand = names.filter((name) => subjectsOf(name, green).length > 0).map((name) => `arn:aws:iam::${ACCOUNT}:role/${name}`);
  expect(added).toEqual(stand);
  expect(added.length).toBeLessThan(names.length);
  const left = results.filter(({ message }) => message === 'it was not read: the command was stopped before').map(({ role }) => role);
  expect([...added, ...left]).toEqual(names.map((name) => `arn:aws:iam::${ACCOUNT}:role/${name}`));
});

test('the permissions of the page are enough, and each was needed', () => {
  const calls = callsOfPerson(aws);
  expect(calls.filter(({ code }) => code === 'AccessDenied')).toEqual([]);
  expect(unusedGrants(COMMANDS_IAM, calls)).toEqual([]);
  expect(calls.filter(({ userAgent }) => !/irsa-operator\/\d/.test(userAgent))).toEqual([]);
});

function kubeconfigTo(server: string): object {
  return {
    apiVersion: 'v1',
    kind: 'Config',
    clusters: [{ name: 'gone', cluster: { server } }],
    users: [{ name: 'gone', user: {} }],
    contexts: [{ name: 'gone', context: { cluster: 'gone', user: 'gone' } }],
    'current-context': 'gone',
  };
}
