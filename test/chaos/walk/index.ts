import { mkdtemp, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { AssumeRoleWithWebIdentityCommand, STSClient } from '@aws-sdk/client-sts';
import { type Api, connect, startTestbed, type Testbed } from '@irsa-operator/testbed';
import { createTwoFilesPatch } from 'diff';
import { pathOf, unless } from '../../harness/objects.ts';
import { install, type RunningOperator, startOperator } from '../../harness/operator.ts';
import { openScene } from '../../harness/scene.ts';
import type { Binding } from '../../harness/views.ts';
import { operatorWrites } from '../../harness/writes.ts';
import type { Chance } from '../chance.ts';
import { Authorization } from './authorization.ts';
import { foreignChanges, histories } from './history.ts';
import { type Judgement, judge } from './judge.ts';
import { look, recorded } from './look.ts';
import { confirmRevocations, makeRole, STEPS, ungrant } from './steps.ts';
import { AUDIENCES, arnOf, CONSENT, GRANTS, NAMESPACES, ROLES, TEAM, type World } from './world.ts';

export interface WalkOptions {
  readonly chance: Chance;
  readonly ops: number;
  /** Sweeps without a write after all has converged. */
  readonly sweeps: number;
  readonly say: (line: string) => void;
}

export interface WalkResult {
  readonly steps: Readonly<Record<string, number>>;
  readonly reasons: Readonly<Record<string, number>>;
  readonly seconds: { readonly walk: number; readonly convergence: number; readonly quiet: number };
  readonly trustWrites: number;
  /** Writes that met one of somebody else within IAM's own window. */
  readonly races: number;
  /** Subjects that the operator took out since no grant covered them. */
  readonly revoked: number;
  /** Empty in a walk that ends well. */
  readonly wrong: readonly string[];
  /** What the operator said since it was started last, in a file, where the walk did not end well. */
  readonly logFile?: string;
}

/** A sweep each second; the limits are not what is tried here. */
const FLAGS = ['--log-level', 'debug', '--sweep-interval', '1s', '--iam-writes-per-second', '50', '--iam-reads-per-second', '200'];
/** How often the walk kills the operator in its tracks: the lease alone keeps the next one waiting for up to 24 s. */
const KILL_EVERY = 250;
/** Now and then nothing happens for as long as a write takes with both its read-backs: without that, hardly any intent lives to see its write. */
const LULL_EVERY = 100;
const LULL_MS = 8_000;
/**
 * The longest wait of the contract here: what lost its label or its tag keeps its trust for ten minutes, also where the grant went right after.
 * The rest is for a retry, and for a busy machine.
 */
const CONVERGENCE_MS = 13 * 60_000;
/**
 * Nothing of the operator waits longer once all is well: 8 s for the last read-back, 30 s until other numbers of pods are told, and a minute until
 * a role that is not found counts as gone, or one is read again that could not be read. With what is added so that not all come together.
 */
const STILL_MS = 75_000;
/** Losses are in the record by then: only those can be confirmed. */
const RECORDED_MS = 10_000;
const MOST_TOLD = 20;
/** The highest that AWS gives: whether a document has room for one more is not what is tried here. */
const POLICY_QUOTA = 4_096;

export async function walk({ chance, ops, sweeps, say }: WalkOptions): Promise<WalkResult> {
  const testbed = await startTestbed();
  const api = connect(testbed.kubeconfig);
  const sts = new STSClient({ endpoint: testbed.aws.endpoint, region: 'us-east-1' });
  const walker: Walker = { operator: undefined, startedAt: 0 };
  try {
    testbed.aws.account().provider.put({ issuer: testbed.issuer, clientIds: AUDIENCES.slice(0, 2) });
    testbed.aws.account().setQuota(POLICY_QUOTA);
    const world: World = {
      testbed,
      api,
      scenes: await Promise.all(NAMESPACES.map((name) => openScene(testbed, api, name, TEAM))),
      chance,
      histories: histories(),
      ask: (roleArn, token) => letsIn(sts, roleArn, token),
      retained: new Set(),
      annotated: new Set(),
      reverted: new Map(),
      confirmedAt: 0,
    };
    for (const role of ROLES) makeRole(world, role);
    await install(testbed);
    await start(walker, testbed);
    const result = await run(world, walker, { ops, sweeps, say });
    return result.wrong.length === 0 ? result : { ...result, logFile: await keepLog(walker, chance.seed) };
  } finally {
    await walker.operator?.stop();
    sts.destroy();
    api.close();
    await testbed.stop();
  }
}

interface Walker {
  operator: RunningOperator | undefined;
  startedAt: number;
}

async function start(walker: Walker, testbed: Testbed): Promise<void> {
  walker.startedAt = Date.now();
  walker.operator = await startOperator(testbed, FLAGS);
}

async function run(world: World, walker: Walker, { ops, sweeps, say }: Omit<WalkOptions, 'chance'>): Promise<WalkResult> {
  const { testbed } = world;
  const steps: Record<string, number> = {};
  const began = performance.now();
  const always = authorizationOf(world);
  for (let done = 1; done <= ops; done++) {
    const [name, step] = anyStep(world.chance);
    steps[name] = (steps[name] ?? 0) + 1;
    await step(world);
    if (done % KILL_EVERY === 0) {
      walker.operator?.kill('SIGKILL');
      await start(walker, testbed);
    }
    await always.after(walker.startedAt);
    if (done % LULL_EVERY === 0) await sleep(LULL_MS);
    if (done % 500 === 0) say(`${done} steps after ${seconds(began)} s`);
  }
  const walked = seconds(began);
  await calmDown(world);
  const calm = performance.now();
  const { wrong: unfinished, reasons } = await converged(world, () => always.after(walker.startedAt));
  const convergence = seconds(calm);
  say(`${unfinished.length === 0 ? 'converged' : 'did not converge'} ${convergence} s after the last step: ${JSON.stringify(reasons)}`);
  const since = Date.now();
  const before = await statusesOf(world.api);
  const quiet = performance.now();
  const writes = unfinished.length === 0 ? await writesDuring(testbed, sweeps, since) : [];
  const unrest = writes.length === 0 ? [] : [...writes, changesBetween(before, await statusesOf(world.api))];
  const foreign = foreignChanges(testbed, world.histories);
  return {
    steps,
    reasons,
    seconds: { walk: walked, convergence, quiet: seconds(quiet) },
    trustWrites: foreign.writes,
    races: foreign.races,
    revoked: always.judge.revoked,
    wrong: [...always.judge.wrong, ...unfinished, ...unrest.map((what) => `in the quiet: ${what}`), ...foreign.wrong].slice(0, MOST_TOLD),
  };
}

async function keepLog({ operator }: Walker, seed: number): Promise<string> {
  const file = join(await mkdtemp(join(tmpdir(), 'irsa-operator-walk-')), `${seed}.log`);
  await writeFile(file, (operator?.log ?? []).map((line) => `${JSON.stringify(line)}\n`).join(''));
  return file;
}

/** What holds after every step is judged after every step. */
function authorizationOf(world: World): { readonly judge: Authorization; after(startedAt: number): Promise<void> } {
  const judge = new Authorization();
  const { aws } = world.testbed;
  let told = aws.journal.length;
  return {
    judge,
    async after(startedAt) {
      const [seen, record] = [await look(world), await recorded(world)];
      const { journal } = aws;
      const sent = journal
        .slice(told)
        .filter(({ operation, code }) => operation === 'UpdateAssumeRolePolicy' && code === 'OK')
        .flatMap(({ params }) =>
          ROLES.filter((name) => name === params['RoleName']).map((name) => ({ role: arnOf(name), text: params['PolicyDocument'] ?? '' })),
        );
      told = journal.length;
      judge.judge({ now: Date.now(), seen, record, sent, startedAt, confirmedAt: world.confirmedAt });
    },
  };
}

function anyStep(chance: Chance): readonly [string, (world: World) => Promise<unknown>] {
  let rest = chance.below(STEPS.reduce((sum, [, weight]) => sum + weight, 0));
  for (const [name, weight, step] of STEPS) {
    if (rest < weight) return [name, step];
    rest -= weight;
  }
  throw new Error('no step has this place');
}

/**
 * AWS behaves; labels are as they were, since one that went is waited for ten minutes before it counts; all grants but one are taken, and
 * what was lost was meant.
 */
async function calmDown(world: World): Promise<void> {
  const { testbed, scenes } = world;
  testbed.aws.behave({});
  testbed.aws.endFaults();
  for (const scene of scenes) await scene.label(TEAM);
  await wakeReplicaSets(world);
  const kept = world.chance.of(GRANTS);
  for (const name of GRANTS) if (name !== kept) await ungrant(world, name);
  await sleep(RECORDED_MS);
  await confirmRevocations(world);
}

/**
 * Roles whose trust waits for their tag have it back: also those of which the operator learns only now that they lack it, since what covered
 * them without tags is gone.
 */
async function giveTagsBack(world: World): Promise<void> {
  const waiting = (await recorded(world)).filter(({ cause, revokedAt }) => cause === 'labelOrTag' && revokedAt === undefined);
  const { role } = world.testbed.aws.account();
  for (const name of ROLES) if (waiting.some((loss) => loss.role === arnOf(name))) role.setTags(name, CONSENT);
}

/**
 * A ReplicaSet whose ServiceAccount was away tries again after up to 16 minutes, and its pods would come in the quiet. A change of it has it try
 * at once.
 */
async function wakeReplicaSets({ api, scenes }: World): Promise<void> {
  for (const { namespace } of scenes) {
    const path = `/apis/apps/v1/namespaces/${namespace}/replicasets`;
    const { items } = await api.call<{ items: { metadata: { name: string } }[] }>('GET', path);
    const body = { metadata: { annotations: { walk: 'calm' } } };
    for (const { metadata } of items) await unless([404], api.call('PATCH', `${path}/${metadata.name}`, { patch: 'merge', body }));
  }
}

/** As it should be, and still so, with nothing written, a while later. */
async function converged(world: World, after: () => Promise<void>): Promise<Judgement> {
  const deadline = performance.now() + CONVERGENCE_MS;
  for (let last: Judgement | undefined; ; ) {
    await giveTagsBack(world);
    const found = await judge(world);
    await after();
    const losses = (await recorded(world)).filter(({ cause, revokedAt }) => cause === 'grant' && revokedAt === undefined).length;
    const isStill = last?.fingerprint === found.fingerprint && found.wrong.length === 0 && losses === 0;
    if (isStill || performance.now() > deadline) return found;
    last = found;
    await sleep(STILL_MS);
  }
}

async function writesDuring(testbed: Testbed, sweeps: number, since: number): Promise<string[]> {
  const begun = testbed.aws.journal.length;
  const swept = () => testbed.aws.journal.slice(begun).filter(({ operation }) => operation === 'ListRoles').length;
  const deadline = performance.now() + sweeps * 2_000;
  while (swept() < sweeps) {
    if (performance.now() > deadline) return [`only ${swept()} sweeps of ${sweeps} came in ${sweeps * 2} s`];
    await sleep(1_000);
  }
  return operatorWrites(testbed, since);
}

/** What the bindings say, line by line. */
async function statusesOf(api: Api): Promise<string> {
  const { items } = await api.call<{ items: Binding[] }>('GET', pathOf('irsabindings'));
  return `${JSON.stringify(Object.fromEntries(items.map(({ metadata, status }) => [`${metadata.namespace}/${metadata.name}`, status])), undefined, 1)}\n`;
}

const changesBetween = (before: string, after: string): string =>
  createTwoFilesPatch('converged', 'after the quiet', before, after, '', '', { context: 8 });

async function letsIn(sts: STSClient, RoleArn: string, WebIdentityToken: string): Promise<boolean> {
  try {
    await sts.send(new AssumeRoleWithWebIdentityCommand({ RoleArn, WebIdentityToken, RoleSessionName: 'walk' }));
    return true;
  } catch {
    return false;
  }
}

const seconds = (since: number): number => Math.round((performance.now() - since) / 1_000);
