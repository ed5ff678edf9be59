import { expect, test } from 'vitest';
import { EKS_ANNOTATIONS } from '../../api/names.ts';
import {
  ACCOUNT,
  ARN,
  binding,
  caller,
  grant,
  own,
  policy,
  present,
  provider,
  SERVICE,
  serviceAccount,
} from '../../domain/test-observed.ts';
import type { BindingEvent } from '../../ports/events.ts';
import { silentLog } from '../../runtime/log.ts';
import { ManualClock, settle } from '../../runtime/manual-clock.ts';
import { Store } from '../../runtime/store.ts';
import { collector } from '../collector.ts';
import { createStores, type OwnedStores } from '../stores.ts';
import { putIdentity } from '../test-identity.ts';
import { testLoops } from '../test-loop.ts';
import { auditController } from './index.ts';

/** The real loop over stores: what is known of ServiceAccounts without a binding, and what is told. */
const run = testLoops();

const KEY = 'shop/app';
const account = serviceAccount({ [EKS_ANNOTATIONS.roleArn]: ARN }, 'helm');
const bound = binding({ status: { roles: [] } });
const refusing = present({ policy: policy(SERVICE) });

function filled(): OwnedStores {
  const stores = createStores(silentLog);
  stores.grants.put(grant());
  stores.namespaces.put({ name: 'shop', labels: {} });
  stores.serviceAccounts.put(account);
  putIdentity(stores);
  stores.providers.put({ account: ACCOUNT, view: provider });
  stores.roles.put(present({ policy: policy(own()) }));
  for (const store of Object.values(stores)) if (store instanceof Store) store.markSynced();
  return stores;
}

async function running(stores: OwnedStores) {
  const events: BindingEvent[] = [];
  const clock = new ManualClock();
  run(auditController({ stores, owned: stores, events: { record: (event) => void events.push(event) }, clock }), clock);
  await settle();
  const series = () => Object.fromEntries([...collector(stores).serviceAccounts()].map(({ name, trusted }) => [name, trusted]));
  return { events, series, codes: () => events.map(({ reason }) => reason) };
}

interface Change {
  readonly begin?: (stores: OwnedStores) => void;
  readonly change: (stores: OwnedStores) => void;
  readonly series: object;
  readonly told: readonly string[];
}
const REFUSED = 'TrustNoWebIdentityStatement';
const changes: Record<string, Change> = {
  'a policy that trusts it no longer is told': { change: ({ roles }) => roles.put(refusing), series: { app: false }, told: [REFUSED] },
  'a policy that comes to trust it is not': {
    begin: ({ roles }) => roles.put(refusing),
    change: ({ roles }) => roles.put(present({ policy: policy(own()) })),
    series: { app: true },
    told: [REFUSED],
  },
  'what stays wrong is told once': {
    begin: ({ roles }) => roles.put(refusing),
    change: ({ roles }) => roles.put({ ...refusing, asOf: refusing.asOf + 1 }),
    series: { app: false },
    told: [REFUSED],
  },
  'a role that is read back after a write of ours leaves what was known': {
    change: ({ roles }) => roles.put(present({ policy: policy(SERVICE) }, 1_000, { pending: { at: 0, policy: policy(own()) } })),
    series: { app: true },
    told: [],
  },
  'one that is bound is the business of its binding': { change: ({ bindings }) => bindings.put(bound), series: {}, told: [] },
  'one that loses its binding is looked at': {
    begin: ({ bindings }) => bindings.put(bound),
    change: ({ bindings }) => bindings.delete('shop/app'),
    series: { app: true },
    told: [],
  },
  'of a ServiceAccount that is gone nothing is left': {
    change: ({ serviceAccounts }) => serviceAccounts.delete(KEY),
    series: {},
    told: [],
  },
  'of one that asks for no role any more nothing is left': {
    change: ({ serviceAccounts }) => serviceAccounts.put(serviceAccount({})),
    series: {},
    told: [],
  },
  'without its grant nothing is known of it': { change: ({ grants }) => grants.delete('platform'), series: {}, told: [] },
  'a grant that comes makes it known': {
    begin: ({ grants }) => grants.delete('platform'),
    change: ({ grants }) => grants.put(grant()),
    series: { app: true },
    told: [],
  },
  'a label by which a grant selects its namespace makes it known': {
    begin: ({ grants }) => grants.put(grant({ namespaces: { selector: { matchLabels: { team: 'a' } } } })),
    change: ({ namespaces }) => namespaces.put({ name: 'shop', labels: { team: 'a' } }),
    series: { app: true },
    told: [],
  },
  'a provider that goes is told': {
    change: ({ providers }) => providers.put({ account: ACCOUNT, view: { kind: 'missing', similar: [] } }),
    series: { app: false },
    told: ['OidcProviderMissing'],
  },
  'an issuer that is not known any more leaves what was known': {
    change: ({ identity }) => identity.put({ cluster: { kind: 'unknown', why: 'x' }, caller }),
    series: { app: true },
    told: [],
  },
};
for (const [sentence, { begin, change, series, told }] of Object.entries(changes))
  test(sentence, async () => {
    const stores = filled();
    begin?.(stores);
    const controller = await running(stores);
    change(stores);
    await settle();
    expect([controller.series(), controller.codes()]).toEqual([series, told]);
  });

test('the Event names the ServiceAccount, which is in another namespace than it', async () => {
  const stores = filled();
  stores.serviceAccounts.put({ ...serviceAccount({}), misspelt: ['eks.amazon.com/role-arn'] });
  const { events } = await running(stores);
  expect(events).toEqual([
    {
      type: 'Warning',
      reason: 'AnnotationKeyMisspelt',
      action: 'Audit',
      note: 'ServiceAccount "shop/app", which no binding names: the webhook does not read the annotation "eks.amazon.com/role-arn". Wanted: "eks.amazonaws.com/role-arn". Rename it, and restart the pods',
    },
  ]);
});

test('a role is asked about for an audit while a grant covers it and no binding has the ServiceAccount', async () => {
  const stores = filled();
  await running(stores);
  const audited = async () => {
    await settle();
    return stores.audits.byIndex('role', ARN).length;
  };
  expect(await audited()).toBe(1);
  stores.grants.delete('platform');
  expect(await audited()).toBe(0);
  stores.grants.put(grant());
  expect(await audited()).toBe(1);
  stores.bindings.put(bound);
  expect(await audited()).toBe(0);
});

// Contract: fair-turns
test('a ServiceAccount is looked at for its namespace', () => {
  const stores = filled();
  const controller = auditController({ stores, owned: stores, events: { record: () => {} }, clock: new ManualClock() });
  expect(controller.tenantsOf?.(KEY)).toEqual(['shop']);
});
