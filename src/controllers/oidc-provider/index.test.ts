import { expect, test } from 'vitest';
import { type AccountId, providerArnFor } from '../../api/arn.ts';
import type { IrsaBinding } from '../../api/binding.ts';
import { Fault } from '../../api/fault.ts';
import { finding } from '../../api/finding.ts';
import type { IrsaGrant } from '../../api/grant.ts';
import { STS_AUDIENCE } from '../../api/names.ts';
import { refusal } from '../../domain/role/verdicts.ts';
import type { Identity } from '../../domain/state/identity.ts';
import type { ProviderView } from '../../domain/state/oidc-provider.ts';

import type { Verdict } from '../../domain/state/verdict.ts';
import { ARN, arn, binding, grant, ISSUER, SUBJECT } from '../../domain/test-observed.ts';
import type { BindingEvent } from '../../ports/events.ts';
import type { OidcProviders } from '../../ports/oidc-providers.ts';
import { systemClock } from '../../runtime/clock.ts';
import { silentLog } from '../../runtime/log.ts';
import { createStores, type VerdictRecord } from '../stores.ts';
import { putIdentity } from '../test-identity.ts';
import { oidcProviderController } from './index.ts';

const ACCOUNT = '111122223333' as AccountId;
const PROVIDER = providerArnFor(ARN, ISSUER);
const CHINA = arn('arn:aws-cn:iam::111122223333:role/team/app');
const NEARLY = `${PROVIDER}0`.replace('/id/', '/ID/').replace(/0$/, '');
const { signal } = new AbortController();
const AUDIENCES = [STS_AUDIENCE, 'second'];

interface Start {
  /** Providers by ARN, with their client IDs. */
  readonly there?: Readonly<Record<string, readonly string[]>>;
  readonly faults?: Partial<Record<keyof OidcProviders, Fault>>;
  readonly createWith?: readonly string[];
  readonly bindings?: readonly IrsaBinding[];
  readonly grants?: readonly IrsaGrant[];
  readonly identity?: Partial<Identity>;
  readonly before?: ProviderView;
  readonly verdicts?: readonly Omit<VerdictRecord, 'urgency'>[];
}

/** One look: what is known of the provider then, which calls were made, what was told. */
async function look({
  there = {},
  faults = {},
  createWith,
  bindings = [binding()],
  grants = [grant()],
  identity,
  before,
  verdicts = [],
}: Start) {
  const seen = createStores(silentLog);
  for (const one of bindings) seen.bindings.put(one);
  for (const one of grants) seen.grants.put(one);
  seen.namespaces.put({ name: 'shop', labels: {} });
  putIdentity(seen, { apiAudiences: ['https://kubernetes.default.svc'], ...identity });
  if (before !== undefined) seen.providers.put({ account: ACCOUNT, view: before });
  for (const one of verdicts) seen.verdicts.put({ ...one, urgency: 'change' });
  const calls: string[] = [];
  const events: BindingEvent[] = [];
  const called = (name: keyof OidcProviders, text: string) => {
    calls.push(text);
    const fault = faults[name];
    if (fault) throw fault;
  };
  const providers: OidcProviders = {
    async clientIds(arn) {
      called('clientIds', 'get');
      return there[arn];
    },
    async list() {
      called('list', 'list');
      return Object.keys(there);
    },
    async create(issuer, audiences) {
      called('create', `create ${issuer} for ${audiences.join(' and ')}`);
    },
  };
  const controller = oidcProviderController({
    stores: seen,
    owned: seen,
    providersIn: () => providers,
    events: { record: (_, event) => events.push(event) },
    sweepIntervalMs: 60_000,
    createWith,
    clock: systemClock,
  });
  const attempt = { id: 'x', urgency: 'resync', failures: 0, log: silentLog } as const;
  const end = await controller.reconcile(ACCOUNT, signal, attempt).then(
    ({ kind }) => kind,
    (error: Error) => error.message,
  );
  return { view: seen.providers.get(ACCOUNT)?.view, calls, events: events.map(({ note }) => note), end };
}

const registered = (clientIds: readonly string[]): ProviderView => ({ kind: 'registered', arn: PROVIDER, clientIds });
const missing: ProviderView = { kind: 'missing', similar: [] };
const CREATE = `create ${ISSUER} for ${STS_AUDIENCE} and second`;
const CREATED = `created the OIDC provider ${PROVIDER} for "${ISSUER}" with the client IDs "${STS_AUDIENCE}", "second"`;

const FULL: Verdict = refusal(finding('TrustPolicyTooLarge', 'it would have 2050 characters'));
const isFull = { question: { role: ARN, issuer: ISSUER, subject: SUBJECT, audience: STS_AUDIENCE }, verdict: FULL };

interface Case extends Start {
  readonly view: ProviderView | undefined;
  readonly calls: readonly string[];
  readonly events?: readonly string[];
  readonly end?: string;
}

const cases: Record<string, Case> = {
  'a provider that is there has its client IDs': { there: { [PROVIDER]: ['a'] }, view: registered(['a']), calls: ['get'] },
  'while a policy is full all providers are listed: a statement of one that is gone could go': {
    there: { [PROVIDER]: ['a'] },
    verdicts: [isFull],
    view: registered(['a']),
    calls: ['get', 'list'],
  },
  'where they may not be listed the provider is known all the same': {
    there: { [PROVIDER]: ['a'] },
    verdicts: [isFull],
    faults: { list: new Fault('denied', 'not authorized: iam:ListOpenIDConnectProviders') },
    view: registered(['a']),
    calls: ['get', 'list'],
  },
  'one that is missing is reported, and not created without the flag': { view: missing, calls: ['get', 'list'] },
  'one whose URL nearly is the issuer is not it, and is named': {
    there: { [NEARLY]: [STS_AUDIENCE] },
    view: { kind: 'missing', similar: [NEARLY.slice(NEARLY.indexOf('/') + 1)] },
    calls: ['get', 'list'],
  },
  'one is missing also where the others may not be listed': {
    faults: { list: new Fault('denied', 'not authorized: iam:ListOpenIDConnectProviders') },
    view: missing,
    calls: ['get', 'list'],
  },
  'one that may not be read is unreadable, in the words for a status': {
    faults: {
      clientIds: new Fault('denied', 'User: arn:aws:sts::... is not authorized', { told: 'iam:GetOpenIDConnectProvider: AccessDenied' }),
    },
    view: { kind: 'unreadable', why: 'iam:GetOpenIDConnectProvider: AccessDenied' },
    calls: ['get'],
  },
  'what was known stays while AWS does not answer': {
    faults: { clientIds: new Fault('transient', 'no answer') },
    before: registered(['a']),
    view: registered(['a']),
    calls: ['get'],
    end: 'no answer',
  },
  'with the flag a missing one is created with its audiences and no others, and told once': {
    createWith: AUDIENCES,
    view: registered(AUDIENCES),
    calls: ['get', CREATE],
    events: [CREATED],
  },
  'with the flag one is created also beside one whose URL nearly is the issuer': {
    createWith: AUDIENCES,
    there: { [NEARLY]: [STS_AUDIENCE] },
    view: registered(AUDIENCES),
    calls: ['get', CREATE],
    events: [CREATED],
  },
  'with the flag one that lacks the audience is somebody’s, and left as it is': {
    createWith: AUDIENCES,
    there: { [PROVIDER]: ['other'] },
    view: registered(['other']),
    calls: ['get'],
  },
  'where we may not create it, it stays missing and the reason is told': {
    createWith: AUDIENCES,
    faults: {
      create: new Fault('denied', 'User: arn:aws:sts::... is not authorized', { told: 'iam:CreateOpenIDConnectProvider: AccessDenied' }),
    },
    view: { kind: 'missing', similar: [], notCreated: 'iam:CreateOpenIDConnectProvider: AccessDenied' },
    calls: ['get', CREATE, 'list'],
  },
  'where the account has too many, it stays missing and the reason is told': {
    createWith: AUDIENCES,
    faults: { create: new Fault('invalid', 'LimitExceeded: 100 providers') },
    view: { kind: 'missing', similar: [], notCreated: 'LimitExceeded: 100 providers' },
    calls: ['get', CREATE, 'list'],
  },
  'one that a stale read does not show is not created twice, and stays as it was known': {
    createWith: AUDIENCES,
    faults: { create: new Fault('conflict', 'EntityAlreadyExists') },
    before: registered(AUDIENCES),
    view: registered(AUDIENCES),
    calls: ['get', CREATE],
    end: 'EntityAlreadyExists',
  },
  'none is created for the audience of every pod’s default token': {
    createWith: ['https://kubernetes.default.svc'],
    view: {
      kind: 'missing',
      similar: [],
      notCreated:
        '--provider-audiences has "https://kubernetes.default.svc", an audience of the API server itself. With it, AWS would accept the default token of every pod',
    },
    calls: ['get', 'list'],
  },
  'none is created for the issuer as the audience, where that is what the API server accepts': {
    createWith: [ISSUER],
    view: {
      kind: 'missing',
      similar: [],
      notCreated: `--provider-audiences has "${ISSUER}", an audience of the API server itself. With it, AWS would accept the default token of every pod`,
    },
    calls: ['get', 'list'],
  },
  'none is created for a binding that only observes': {
    createWith: AUDIENCES,
    bindings: [binding({ spec: { mode: 'Observe' } })],
    view: missing,
    calls: ['get', 'list'],
  },
  'none is created for a binding that is suspended': {
    createWith: AUDIENCES,
    bindings: [binding({ spec: { suspend: true } })],
    view: missing,
    calls: ['get', 'list'],
  },
  'none is created for a binding that is being deleted': {
    createWith: AUDIENCES,
    bindings: [binding({ metadata: { deleting: true } })],
    view: missing,
    calls: ['get', 'list'],
  },
  'none is created for a binding that no grant covers': { createWith: AUDIENCES, grants: [], view: missing, calls: ['get', 'list'] },
  'nothing is asked for bindings that no grant covers and that stand nowhere': {
    createWith: AUDIENCES,
    grants: [],
    bindings: [binding({ status: { roles: [] } })],
    view: undefined,
    calls: [],
    end: 'settled',
  },
  'one of the same account number in another partition does not stand for the account': {
    there: { [PROVIDER]: ['a'] },
    bindings: [binding({ metadata: { name: 'china' }, spec: { roleArn: CHINA } }), binding()],
    grants: [grant({ roleArns: [CHINA] }), grant()],
    view: registered(['a']),
    calls: ['get'],
  },
  'nothing is asked for a role of another partition alone': {
    bindings: [binding({ spec: { roleArn: CHINA } })],
    grants: [grant({ roleArns: [CHINA] })],
    view: undefined,
    calls: [],
    end: 'settled',
  },
  // Contract: cluster-nothing-unknown
  'nothing is asked while the issuer is not known': {
    createWith: AUDIENCES,
    identity: { cluster: { kind: 'unknown', why: 'x' } },
    view: undefined,
    calls: [],
    end: 'settled',
  },
  'nothing is asked while it is not known who we are': {
    createWith: AUDIENCES,
    identity: { caller: { kind: 'unknown', why: 'x' } },
    view: undefined,
    calls: [],
    end: 'settled',
  },
};
for (const [sentence, { view, calls, events = [], end = 'recheck', ...start }] of Object.entries(cases)) {
  test(sentence, async () => expect(await look(start)).toEqual({ view, calls, events, end }));
}
