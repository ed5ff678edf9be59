import { join } from 'node:path';
import { isDeepStrictEqual } from 'node:util';
import { type Api, type Identity, type Patience, type Testbed, until } from '@irsa-operator/testbed';
import { createTwoFilesPatch } from 'diff';
import { OPERATOR_NAMESPACE } from '../../harness/objects.ts';
import type { Scene } from '../../harness/scene.ts';
import { observeEffects, type Point } from './crash.ts';
import { type Effect, isReport, tooOften } from './effects.ts';
import { endStateOf } from './end-state.ts';
import { type Life, redirected, startLife } from './process.ts';
import { startHttpProxy } from './proxy.ts';
import type { Scenario } from './scenarios.ts';
import { forgetLosses, setStage, strike } from './stage.ts';

/** What all runs of the suite share. */
export interface Theatre {
  readonly testbed: Testbed;
  readonly api: Api;
  /** With the rights that ship. */
  readonly kubeconfig: string;
  readonly env: Readonly<Record<string, string>>;
  /** What the proxies show, and the PEM of the authority that signed it. */
  readonly identity: Identity;
  readonly authority: string;
}

/** How a scenario went. */
export interface Played {
  readonly effects: readonly Effect[];
  readonly endState: unknown;
}

/** With a lease of 2 s a machine that is busy costs the lead, or a call its answer in time (a third of the lease): then nothing was tried. */
export class Interrupted extends Error {
  override readonly name = 'Interrupted';
}

/** The last read-back comes 8 s after a write, the restart of a pod 10 s after trust and annotation: who is quiet for longer is through. */
const QUIET_MS = 12_000;
/** The grant that is lost acts after 60 s; a busy machine needs its time. */
const PATIENCE_MS = 150_000;
/** A trust policy that was written is read back for the last time after 8 s; what is changed then is drift and no lost update. */
const REST_MS = 9_000;
/** What is seen of a namespace by one operator is all that there is: so several can be tried at once on one cluster. */
const NAMESPACED =
  /^(\/(?:api\/v1|apis\/apps\/v1|apis\/batch\/v1|apis\/irsa-operator\.dev\/v1alpha1))\/(pods|serviceaccounts|deployments|statefulsets|daemonsets|jobs|cronjobs|irsabindings)(?=\?|$)/;

let played = 0;

/** Plays the scenario undisturbed. Throws when it does not come to its end. */
export async function playUndisturbed(theatre: Theatre, scenario: Scenario): Promise<Played> {
  return perform(theatre, scenario, undefined, async ({ scene, observer, patience }) => {
    await until(`"${scenario.name}" is done`, () => scenario.done(scene), patience);
    await until('nothing is done any more', () => performance.now() - observer.lastAt > QUIET_MS, patience);
    if (observer.givenUp > 0) throw new Interrupted(`${observer.givenUp} calls were not answered in time`);
    return { effects: [...observer.sent], endState: await endStateOf(scene) };
  });
}

/** What came of a crash. `missed`: the scenario came to its end without this report; how many there are on the way depends on what is seen when. */
export type Crashed = { readonly kind: 'passed' } | { readonly kind: 'missed' } | { readonly kind: 'failed'; readonly why: string };

const failed = (why: string): Crashed => ({ kind: 'failed', why });

/** Plays it with a crash at the point. */
export async function playWithCrash(theatre: Theatre, scenario: Scenario, point: Point, wanted: Played): Promise<Crashed> {
  return perform(theatre, scenario, point, async ({ scene, observer, live, patience }) => {
    const isQuiet = () => performance.now() - observer.lastAt > QUIET_MS;
    const over = async () => observer.dead || (isQuiet() && (await scenario.done(scene)));
    await until(`the point "${point.effect}" comes, or the end without it`, over, patience);
    if (!observer.dead) return isReport(point.effect) ? { kind: 'missed' } : failed('it came to its end without this effect');
    await live();
    const alive = performance.now();
    let found: unknown;
    const same = async () => {
      if (performance.now() - Math.max(alive, observer.lastAt) < QUIET_MS) return false;
      found = await endStateOf(scene);
      return isDeepStrictEqual(found, wanted.endState);
    };
    try {
      await until('the end is the same', same, patience);
    } catch {
      const lines = (state: unknown) => `${JSON.stringify(state, undefined, 1)}\n`;
      const difference = createTwoFilesPatch('undisturbed', 'after the crash', lines(wanted.endState), lines(found), '', '', {
        context: 2,
      });
      return failed(`${difference}effects: ${namesOf(observer.sent)}`);
    }
    const more = tooOften(wanted.effects, observer.sent, observer.unanswered);
    if (more.length === 0) return { kind: 'passed' };
    // What was not answered is done again, and AWS that does not answer is told in a status.
    if (observer.givenUp > 0) throw new Interrupted(`${observer.givenUp} calls were not answered in time`);
    const inWords = (effects: readonly Effect[]) => effects.map((effect) => `\n  ${whole(effect)}`).join('');
    return failed(
      `done more often than without a crash: ${more.join(', ')}\nundisturbed: ${inWords(wanted.effects)}\nwith a crash: ${inWords(observer.sent)}`,
    );
  });
}

export function namesOf(effects: readonly Effect[]): string {
  return effects.map(({ name }) => name).join(', ');
}

/** With what a status says: two that look alike differ in it. */
function whole({ name, says }: Effect): string {
  return says === undefined ? name : `${name} ${says}`;
}

interface Run {
  readonly scene: Scene;
  readonly observer: ReturnType<typeof observeEffects>;
  /** A new life of the operator; comes back when it leads. */
  live(): Promise<void>;
  /** How long each step may take; at an end when the run is. */
  readonly patience: Patience;
}

async function perform<T>(theatre: Theatre, scenario: Scenario, point: Point | undefined, rest: (run: Run) => Promise<T>): Promise<T> {
  const { testbed, api, identity, authority } = theatre;
  const namespace = `c${String(++played).padStart(4, '0')}`;
  const scene = await setStage(testbed, api, namespace);
  let life: Life | undefined;
  const observer = observeEffects(point, async () => life?.kill());
  const kube = await startHttpProxy(
    {
      url: testbed.server,
      tls: { authority: api.authority ?? '', identity },
      path: (path) => path.replace(NAMESPACED, `$1/namespaces/${namespace}/$2`),
    },
    observer,
  );
  const aws = await startHttpProxy({ url: testbed.aws.endpoint }, observer);
  const awsUrl = `http://127.0.0.1:${aws.port}`;
  const kubeconfig = redirected(
    theatre.kubeconfig,
    { server: `https://127.0.0.1:${kube.port}`, authority },
    join(testbed.folder, `${namespace}.kubeconfig`),
  );
  const env = {
    ...theatre.env,
    KUBECONFIG: kubeconfig,
    AWS_ENDPOINT_URL_IAM: awsUrl,
    AWS_ENDPOINT_URL_STS: awsUrl,
    AWS_ENDPOINT_URL_EKS: awsUrl,
  };
  if (scenario.alone) await forgetLosses(api);
  // Where it is alone it is at home: what it writes down of losses it may write nowhere else.
  const home = scenario.alone ? OPERATOR_NAMESPACE : namespace;
  const flags = ['--lease-duration', '2s', '--lease-namespace', home, '--sweep-interval', '1s', '--log-level', 'debug'];
  const over = new AbortController();
  const patience = { timeoutMs: PATIENCE_MS, signal: over.signal };
  const interrupted = Promise.withResolvers<never>();
  interrupted.promise.catch(() => {});
  const live = async () => {
    over.signal.throwIfAborted();
    const one = startLife(flags, env, join(testbed.folder, `${namespace}.log`));
    life = one;
    void one.ended.then(() => {
      if (!one.killed) interrupted.reject(new Interrupted(`${namespace}: the operator ended by itself`));
    });
    await Promise.race([one.leads, one.ended]);
  };
  const run = async (): Promise<T> => {
    await live();
    await scenario.given(scene);
    if (scenario.stands !== undefined) {
      const { stands } = scenario;
      await until(`what "${scenario.name}" begins with stands`, () => stands(scene), patience);
      await until('it rests', () => performance.now() - observer.lastAt > REST_MS, patience);
    }
    observer.begin();
    await scenario.change(scene);
    return rest({ scene, observer, live, patience });
  };
  try {
    return await Promise.race([run(), interrupted.promise]);
  } finally {
    over.abort();
    await life?.kill();
    await Promise.all([kube.stop(), aws.stop()]);
    await strike(scene, testbed, api);
  }
}
