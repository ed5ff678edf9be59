import { setTimeout as sleep } from 'node:timers/promises';
import { type Api, ApiError } from '@irsa-operator/testbed';
import { ROLE_ARN } from '../harness/views.ts';
import { seededRandom } from './random.ts';

/** Few enough that names come again soon: deleted, and made again with another uid. */
const NAMES = 12;
/** Some thirty changes a second: a watch that is down for a second misses many. */
const PAUSE_MS = 30;

export interface Churn {
  /** Resolves when the last change has been answered; with the number of changes. */
  stop(): Promise<number>;
}

/** Makes, changes, deletes and makes again ServiceAccounts of one namespace, at random, straight at the API server, until it is stopped. */
export function churn(api: Api, namespace: string, seed: number): Churn {
  const random = seededRandom(seed);
  const over = new AbortController();
  const accounts = `/api/v1/namespaces/${namespace}/serviceaccounts`;
  let changes = 0;

  async function change(): Promise<void> {
    const name = `account-${Math.floor(random() * NAMES)}`;
    const annotations = { [ROLE_ARN]: `arn:aws:iam::111122223333:role/${changes}` };
    const what = random();
    if (what < 0.2) await api.call('DELETE', `${accounts}/${name}`);
    else if (what < 0.5) await api.call('POST', accounts, { body: { metadata: { name, annotations } } });
    else await api.call('PATCH', `${accounts}/${name}`, { patch: 'merge', body: { metadata: { annotations } } });
    changes += 1;
  }
  async function run(): Promise<void> {
    while (!over.signal.aborted) {
      await change().catch((error: unknown) => {
        if (!(error instanceof ApiError && [404, 409].includes(error.status))) throw error; // there already, or not there yet
      });
      await sleep(PAUSE_MS);
    }
  }
  const running = run();
  running.catch(() => {}); // `stop` tells
  return {
    async stop() {
      over.abort();
      await running;
      return changes;
    },
  };
}
