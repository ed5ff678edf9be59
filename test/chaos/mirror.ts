import { type Api, until } from '@irsa-operator/testbed';
import { expect } from 'vitest';
import { keyOf, type ServiceAccount } from '../../src/api/cluster.ts';
import { EKS_WEBHOOK } from '../../src/api/webhook.ts';
import { connect } from '../../src/kube/config.ts';
import { listWatch } from '../../src/kube/list-watch.ts';
import { noKubeMetrics } from '../../src/kube/metrics.ts';
import { serviceAccounts } from '../../src/kube/resources.ts';
import { Transport } from '../../src/kube/transport.ts';
import { systemClock } from '../../src/runtime/clock.ts';
import { silentLog } from '../../src/runtime/log.ts';
import { type ListCause, noMetrics, type WatchEnd } from '../../src/runtime/metrics.ts';
import { type ListWatch, REFLECTOR_LIMITS, Reflector, type ReflectorLimits } from '../../src/runtime/reflector.ts';
import { Store } from '../../src/runtime/store.ts';

/** After the last fault: the longest pause between two attempts (30 s), and a machine that is busy. */
const CATCH_UP_MS = 60_000;
/** What the contract allows, less what a timer may be early. */
const PAUSE_MS = 990;

/** The transport, the reflector and the store that ship, filled with the ServiceAccounts of a cluster over a connection that breaks. */
export interface Mirror {
  readonly transport: Transport;
  readonly store: Store<ServiceAccount>;
  readonly reflector: Reflector<ServiceAccount>;
  /** Why each list was made, and how each watch ended, in order. */
  readonly lists: readonly ListCause[];
  readonly ends: readonly WatchEnd[];
  /** When each watch was asked for: milliseconds of `performance.now()`. */
  readonly watchedAt: readonly number[];
  /** Watches that the server accepted. */
  readonly opened: () => number;
  /** Every change of the store in a namespace, oldest first: `name: uid before > uid after`. */
  changesIn(namespace: string): string[];
  /** Waits until the store holds what an uncached list of the namespace shows; fails with the difference. */
  equals(api: Api, namespace: string): Promise<void>;
  stop(): Promise<void>;
}

export interface MirrorOptions {
  readonly limits?: Partial<ReflectorLimits>;
  /** Stands between the reflector and the API server. */
  readonly around?: (source: ListWatch<ServiceAccount>) => ListWatch<ServiceAccount>;
}

export function startMirror(kubeconfig: string, { limits, around = (source) => source }: MirrorOptions = {}): Mirror {
  const connection = connect({ kubeconfig, clock: systemClock });
  const options = { connection, userAgent: 'irsa-operator/chaos', clock: systemClock, random: Math.random };
  const transport = new Transport({ ...options, metrics: noKubeMetrics });
  const store = new Store<ServiceAccount>({ kind: 'ServiceAccount', keyOf, log: silentLog });
  const lists: ListCause[] = [];
  const ends: WatchEnd[] = [];
  const watchedAt: number[] = [];
  const changes: { namespace: string; change: string }[] = [];
  let opened = 0;
  const source = around(listWatch(transport, serviceAccounts(EKS_WEBHOOK)));
  const observed: ListWatch<ServiceAccount> = {
    list: (page, signal) => source.list(page, signal),
    async *watch(from, signal) {
      watchedAt.push(performance.now());
      for await (const bunch of source.watch(from, signal)) {
        const events = [...bunch];
        opened += events.filter(({ type }) => type === 'OPEN').length;
        yield events;
      }
    },
  };
  store.onChange((before, after) => {
    const { namespace, name } = (after ?? before) as ServiceAccount;
    changes.push({ namespace, change: `${name}: ${before?.uid} > ${after?.uid}` });
  });
  const reflector = new Reflector({
    source: observed,
    store,
    clock: systemClock,
    random: Math.random,
    log: silentLog,
    metrics: { ...noMetrics, reflector: () => ({ listed: (cause) => lists.push(cause), watched: (end) => ends.push(end) }) },
    limits: { ...REFLECTOR_LIMITS, ...limits },
  });
  const over = new AbortController();
  const running = reflector.run(over.signal);

  const cached = (namespace: string) => sorted(store.list().filter((one) => one.namespace === namespace));
  const uncached = async (api: Api, namespace: string) => {
    const { items } = await api.call<{ items: unknown[] }>('GET', `/api/v1/namespaces/${namespace}/serviceaccounts`);
    return sorted(items.map((raw) => serviceAccounts(EKS_WEBHOOK).decode(raw)));
  };
  return {
    transport,
    store,
    reflector,
    lists,
    ends,
    watchedAt,
    changesIn: (namespace) => changes.filter((one) => one.namespace === namespace).map(({ change }) => change),
    opened: () => opened,
    async equals(api, namespace) {
      const same = async () => {
        expect(cached(namespace)).toEqual(await uncached(api, namespace));
        return true;
      };
      await until(`the store holds what an uncached list of ${namespace} shows`, same, { timeoutMs: CATCH_UP_MS });
    },
    async stop() {
      over.abort();
      await running;
      await transport.close();
    },
  };
}

/** Reconnects came at most one a second, and not in step: what broke together must not come back together. */
export function expectPaced(watchedAt: readonly number[]): void {
  const gaps = watchedAt.slice(1).map((at, i) => at - (watchedAt[i] ?? 0));
  expect(gaps.filter((gap) => gap < PAUSE_MS)).toEqual([]);
  expect(new Set(gaps.map((gap) => Math.round(gap / 10))).size).toBeGreaterThan(1);
}

function sorted(accounts: readonly ServiceAccount[]): ServiceAccount[] {
  return accounts.toSorted((a, b) => a.name.localeCompare(b.name));
}
