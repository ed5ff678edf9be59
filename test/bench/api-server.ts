import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';
import { parentPort } from 'node:worker_threads';
import { pod, serviceAccount } from './api-objects.ts';

/**
 * The API server of `npm run bench:runtime`, in a thread of its own so that what it does is not measured: lists in pages under `/quiet`;
 * under `/busy` a watch of ServiceAccounts that changes each of them again and again, as fast as it is read. All texts are made before the
 * first request.
 */
export const SERVICE_ACCOUNTS = 10_000;
export const PODS = 20_000;
export const ROUNDS = 10;

export interface Served {
  readonly port: number;
  readonly eventBytes: number;
  readonly serviceAccountBytes: number;
  readonly podBytes: number;
}

const SERVICE_ACCOUNT_LIST = { kind: 'ServiceAccountList', items: textsOf(SERVICE_ACCOUNTS, serviceAccount) };
const LISTS = new Map([
  ['/busy/api/v1/serviceaccounts', { kind: 'ServiceAccountList', items: [] }],
  ['/quiet/api/v1/serviceaccounts', SERVICE_ACCOUNT_LIST],
  ['/quiet/api/v1/pods', { kind: 'PodList', items: textsOf(PODS, pod) }],
]);
/** Two rounds in turn are enough: each shows another version than the one before. */
const EVENTS = ['2', '3'].map((version) =>
  Buffer.from(
    textsOf(SERVICE_ACCOUNTS, (index) => ({ type: 'MODIFIED', object: serviceAccount(index, version) }))
      .map((text) => `${text}\n`)
      .join(''),
  ),
);

function textsOf(count: number, make: (index: number, version: string) => object): string[] {
  return Array.from({ length: count }, (_, index) => JSON.stringify(make(index, '1')));
}

const server = createServer((request, response) => {
  const { pathname, searchParams } = new URL(request.url ?? '', 'http://bench');
  const { kind, items } = LISTS.get(pathname) ?? { kind: 'List', items: [] };
  response.writeHead(200, { 'content-type': 'application/json' });
  if (searchParams.get('watch') === 'true') {
    response.flushHeaders();
    const rounds = pathname.startsWith('/busy') ? Array.from({ length: ROUNDS }, (_, at) => EVENTS[at % 2] ?? Buffer.alloc(0)) : [];
    const send = () => {
      for (let round = rounds.shift(); round !== undefined; round = rounds.shift()) if (!response.write(round)) return;
    };
    response.on('drain', send);
    return send();
  }
  const from = Number(searchParams.get('continue') ?? 0);
  const to = from + Number(searchParams.get('limit'));
  const metadata = JSON.stringify({ resourceVersion: '1', ...(to < items.length ? { continue: String(to) } : {}) });
  return response.end(`{"kind":"${kind}","apiVersion":"v1","metadata":${metadata},"items":[${items.slice(from, to).join(',')}]}`);
});
server.listen(0, '127.0.0.1', () => {
  const meanOf = (texts: readonly string[]) => texts.reduce((sum, text) => sum + text.length, 0) / texts.length;
  const served: Served = {
    port: (server.address() as AddressInfo).port,
    eventBytes: (EVENTS[0]?.length ?? 0) / SERVICE_ACCOUNTS,
    serviceAccountBytes: meanOf(SERVICE_ACCOUNT_LIST.items),
    podBytes: meanOf(LISTS.get('/quiet/api/v1/pods')?.items ?? []),
  };
  parentPort?.postMessage(served);
});
