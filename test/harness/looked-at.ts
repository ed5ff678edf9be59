import { type Api, until } from '@irsa-operator/testbed';
import type { Binding } from './views.ts';

/** A second request within a minute waits for its end. */
const PATIENCE = { timeoutMs: 120_000 };

/** The binding as it is once its operator has looked at it in this mode; undefined where it is going. */
export async function lookedAt(api: Api, path: string, mode: Binding['spec']['mode']): Promise<Binding | undefined> {
  const value = `parity-${Date.now()}`;
  const annotations = { 'irsa-operator.dev/reconcile-requested-at': value };
  const body = { metadata: { annotations }, spec: { mode, suspend: false } };
  const { metadata } = await api.call<Binding>('PATCH', path, { patch: 'merge', body });
  if (metadata.deletionTimestamp !== undefined) return undefined;
  return await until(
    'the binding was looked at',
    async () => {
      const seen = await api.call<Binding>('GET', path);
      return seen.status?.lastHandledReconcileAt === value && seen;
    },
    PATIENCE,
  );
}
