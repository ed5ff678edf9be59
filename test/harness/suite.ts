import { type Api, connect, startTestbed, type Testbed, type TestbedOptions, until } from '@irsa-operator/testbed';
import { afterAll, beforeAll, expect } from 'vitest';
import { PLAN_FLAGS } from '../../src/cli/plan/flags.ts';
import { idle, sweptTwice } from './evidence.ts';
import { grant, pathOf } from './objects.ts';
import { install, type RunningOperator, startOperator } from './operator.ts';
import { compareWithCheck, PARITY_FOLDER, writeParity } from './parity.ts';
import { compareWithPlan } from './plan-parity.ts';
import { openScene, type Scene } from './scene.ts';
import { scrape } from './scrape.ts';
import { ACCOUNT } from './views.ts';

/** Seldom enough for two cores, often enough that no test waits for it. */
export const SWEEP = ['--sweep-interval', '2s'] as const;
const PATIENCE = { timeoutMs: 60_000 };
const SHORTEST_TOKEN_SECONDS = 600;
/** Files set shorter times for themselves: the comparison of `make parity` is none of theirs. */
const AFTER_MS = 15 * 60_000;
/** What the grant of a suite selects. */
const GRANTED = { suite: 'granted' };

export interface SuiteOptions {
  readonly testbed?: TestbedOptions;
  /** Of the cluster's OIDC provider, STS without it. Empty: there is no provider. */
  readonly clientIds?: readonly string[];
  /** Every scene of the suite gets a grant, of which this is what differs from: any role, any ServiceAccount. Without it there is none. */
  readonly grant?: object;
  readonly flags?: readonly string[];
  /** What a flag needs beside the policy of every operator. */
  readonly morePolicies?: readonly string[];
  /** The operator has the session of EKS Pod Identity, with its tags. */
  readonly podIdentity?: boolean;
  /** For Node, in which the operator runs. */
  readonly nodeArgs?: readonly string[];
  /** False: the file starts it by itself, if at all. */
  readonly operator?: boolean;
}

/** A control plane with the operator as it ships, for one file of tests. What it gives is there from the first `beforeAll` of the file on. */
export interface Suite {
  readonly testbed: Testbed;
  readonly api: Api;
  /** The one that was started last. */
  readonly operator: RunningOperator;
  /** In place of one that ended. */
  start(flags?: readonly string[]): Promise<RunningOperator>;
  /** Stops it, and starts another. */
  restart(flags?: readonly string[]): Promise<RunningOperator>;
  /** A namespace that the grant of the suite covers, unless it is said otherwise. */
  scene(name: string, options?: { granted: boolean }): Promise<Scene>;
  /** With a role that lets no token in, unless it is said otherwise, and the ServiceAccount `app`. */
  prepared(name: string, trustPolicy?: object | string): Promise<Scene>;
  /** With a binding that is Ready. */
  working(name: string, spec?: object): Promise<Scene>;
  /** The page of /metrics. */
  metrics(): Promise<string>;
  /** Comes back when the operator has done whatever it would do when it looks again: two sweeps since now, or since then. There are sweeps where there is a grant. */
  secondLook(since?: number): Promise<void>;
  /** Comes back when the operator has seen every change of a binding up to now, and has nothing left to do about any. For a suite without sweeps. */
  caughtUp(): Promise<void>;
}

/** Called at the top of a file: sets up before its tests, and expects after them that the operator stops as it should. */
export function integrationSuite(options: SuiteOptions = {}): Suite {
  const { clientIds = ['sts.amazonaws.com'], flags = SWEEP, morePolicies = [], nodeArgs = [], podIdentity = false } = options;
  let testbed: Testbed | undefined;
  let api: Api | undefined;
  let operator: RunningOperator | undefined;
  let marker: Promise<Scene> | undefined;
  let changes = 0;
  let started: readonly string[] = flags;

  beforeAll(async () => {
    testbed = await startTestbed(options.testbed);
    api = connect(testbed.kubeconfig);
    if (clientIds.length > 0) testbed.aws.account().provider.put({ issuer: testbed.issuer, clientIds });
    await install(testbed);
    if (options.operator !== false) await suite.start();
    if (options.grant !== undefined) {
      const namespaces = { selector: { matchLabels: GRANTED } };
      const spec = { roleArns: [`arn:aws:iam::${ACCOUNT}:role/*`], namespaces, serviceAccountNames: ['*'], ...options.grant };
      await api.call('POST', pathOf('irsagrants'), { body: { ...grant(spec), metadata: { name: 'suite' } } });
    }
  });
  afterAll(async () => {
    const folder = process.env[PARITY_FOLDER];
    if (folder !== undefined && operator !== undefined)
      writeParity(folder, suite.testbed, {
        check: await compareWithCheck(suite.testbed, suite.api),
        plan: await compareWithPlan(suite.testbed, suite.api, operator.name, ofPlan(started)),
      });
    const code = await operator?.stop();
    api?.close();
    await testbed?.stop();
    if (operator !== undefined) expect(code).toBe(0);
  }, AFTER_MS);

  const suite: Suite = {
    get testbed() {
      return present(testbed, 'testbed');
    },
    get api() {
      return present(api, 'API');
    },
    get operator() {
      return present(operator, 'operator');
    },
    async start(anew = flags) {
      started = anew;
      operator = await startOperator(suite.testbed, anew, morePolicies, undefined, undefined, nodeArgs, podIdentity);
      return operator;
    },
    async restart(anew) {
      expect(await suite.operator.stop()).toBe(0);
      return await suite.start(anew);
    },
    scene: (name, { granted } = { granted: true }) => openScene(suite.testbed, suite.api, name, granted ? GRANTED : {}),
    async prepared(name, trustPolicy) {
      const scene = await suite.scene(name);
      scene.role(trustPolicy);
      await scene.serviceAccount();
      return scene;
    },
    async working(name, spec) {
      const scene = await suite.prepared(name);
      await scene.bind(spec);
      await scene.conditionIs('Ready', 'True', 'Ready');
      return scene;
    },
    metrics: () => scrape(suite.operator),
    secondLook: (since = Date.now()) => sweptTwice(suite.testbed, suite.operator, since),
    async caughtUp() {
      // Changes are watched in their order: when the last one has its answer, all were seen.
      marker ??= suite.scene('marker', { granted: false }).then(async (scene) => {
        await scene.bind();
        return scene;
      });
      const scene = await marker;
      await scene.change({ tokenExpirationSeconds: SHORTEST_TOKEN_SECONDS + ++changes });
      const { generation } = (await scene.binding()).metadata;
      const seen = async () => ((await scene.binding()).status?.observedGeneration ?? 0) >= generation;
      await until('the last change of a binding has its answer', seen, PATIENCE);
      await idle(suite.operator);
    },
  };
  return suite;
}

/** Of the flags of an operator, each with its value, those that `plan` has too. */
function ofPlan(flags: readonly string[]): string[] {
  return flags.flatMap((flag, at) => (flag.slice(2) in PLAN_FLAGS ? [flag, flags[at + 1] ?? ''] : []));
}

function present<T>(value: T | undefined, what: string): T {
  if (value === undefined) throw new Error(`there is no ${what} yet: it is there from the first beforeAll on`);
  return value;
}
