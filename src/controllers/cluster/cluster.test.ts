import { describe, expect, test } from 'vitest';
import { Fault, type FaultKind, NO_CREDENTIALS } from '../../api/fault.ts';
import { reachedIn } from '../../domain/state/account.ts';
import type { CallerView, ClusterView, Identity } from '../../domain/state/identity.ts';

import { ACCOUNT, caller, cluster, ISSUER } from '../../domain/test-observed.ts';
import type { BindingEvent } from '../../ports/events.ts';
import { silentLog } from '../../runtime/log.ts';
import { createStores, HERE } from '../stores.ts';
import { clusterController } from './index.ts';
import type { IdentityPorts } from './ports.ts';

const { signal } = new AbortController();
const IN_CLUSTER = 'https://kubernetes.default.svc.cluster.local';
const OTHER = 'https://oidc.eks.eu-west-1.amazonaws.com/id/EFGH';
const USUAL = ['https://kubernetes.default.svc'];
const WITH_STS = [...USUAL, 'sts.amazonaws.com'];
/** With the quota of the operator's own account. */
type Known = Identity & { readonly policyQuota: number | undefined };
const KNOWN: Known = { cluster, caller, policyQuota: 4096, apiAudiences: USUAL };
const fault = (kind: FaultKind) => new Fault(kind, `told: ${kind}`);

interface Answers {
  readonly issuer?: string | Fault;
  /** Undefined: EKS knows of no issuer. Left out: it is not asked. */
  readonly eks?: string | Fault | undefined;
  readonly caller?: CallerView | Fault;
  readonly quota?: number | Fault;
  readonly audiences?: readonly string[];
}

const answer = async <T>(value: T | Fault): Promise<T> => {
  if (value instanceof Fault) throw value;
  return value;
};

/** One look, after what was known before; what is known then, and how it ended. */
async function look(answers: Answers, before: Known | undefined, failures = 0, oidcIssuer?: typeof ISSUER) {
  const seen = createStores(silentLog);
  if (before !== undefined) {
    const { policyQuota, ...identity } = before;
    seen.identity.put(identity);
    seen.accounts.put({ account: ACCOUNT, access: { kind: 'reached', callerArn: '', policyQuota } });
    seen.identity.markSynced();
  }
  const ports: IdentityPorts = {
    issuer: () => answer(answers.issuer ?? ISSUER),
    eksIssuer: 'eks' in answers ? () => answer(answers.eks) : undefined,
    caller: () => answer(answers.caller ?? caller),
    policyQuota: () => answer(answers.quota ?? 4096),
    apiAudiences: async () => answers.audiences ?? USUAL,
  };
  const told: string[] = [];
  const events = { record: ({ type, reason, note }: BindingEvent) => void told.push(`${type} ${reason}: ${note}`) };
  const attempt = { id: 'x', urgency: 'resync', failures, log: silentLog } as const;
  const controller = clusterController({ stores: seen, owned: seen, ports, oidcIssuer, ids: {}, events });
  let afterMs: number | undefined;
  const end = await controller.reconcile(HERE, signal, attempt).then(
    (outcome) => {
      afterMs = outcome.kind === 'recheck' ? outcome.afterMs : undefined;
      return outcome.kind;
    },
    (error: Error) => error.message,
  );
  const identity = seen.identity.get(HERE);
  const found = identity && { ...identity, policyQuota: reachedIn(seen.accounts.get(ACCOUNT))?.policyQuota };
  return { found, synced: seen.identity.hasSynced && seen.accounts.hasSynced, end, told, afterMs };
}

const unknown = (why: string): ClusterView & CallerView => ({ kind: 'unknown', why });
const DISAGREE = (told: string, eks: string) =>
  `the API server issues tokens as "${told}", and eks:DescribeCluster says ${eks}: is --eks-cluster-name the name of this cluster?`;

interface Case extends Answers {
  readonly before?: Known;
  /** How often it failed before, at the start. */
  readonly failures?: number;
  readonly finds: Partial<Known>;
  readonly end: string;
}

const cases: Record<string, Case> = {
  'everything is known after a first look': { finds: {}, end: 'recheck' },
  // Contract: cluster-issuer
  'both sources that agree make the issuer known': { eks: ISSUER, finds: {}, end: 'recheck' },
  'an issuer that cannot be asked for is unknown, with the reason': {
    failures: 4,
    issuer: fault('transient'),
    finds: { cluster: unknown('told: transient') },
    end: 'told: transient',
  },
  'an issuer that EKS cannot confirm is unknown': {
    failures: 4,
    eks: fault('throttled'),
    finds: { cluster: unknown('told: throttled') },
    end: 'told: throttled',
  },
  // Contract: cluster-nothing-unknown
  'sources that disagree make the issuer unknown': {
    eks: OTHER,
    finds: { cluster: unknown(DISAGREE(ISSUER, `"${OTHER}"`)) },
    end: DISAGREE(ISSUER, `"${OTHER}"`),
  },
  'a known issuer stays known while the API server does not answer': {
    before: KNOWN,
    issuer: fault('transient'),
    finds: {},
    end: 'told: transient',
  },
  'a known issuer stays known while EKS is throttled': { before: KNOWN, eks: fault('throttled'), finds: {}, end: 'told: throttled' },
  'a known issuer stays known while nobody answers': {
    before: KNOWN,
    issuer: fault('transient'),
    eks: fault('transient'),
    finds: {},
    end: 'told: transient',
  },
  'a known issuer becomes unknown when the sources disagree': {
    before: KNOWN,
    eks: OTHER,
    finds: { cluster: unknown(DISAGREE(ISSUER, `"${OTHER}"`)) },
    end: DISAGREE(ISSUER, `"${OTHER}"`),
  },
  'a known issuer becomes unknown when EKS says that the cluster has none': {
    before: KNOWN,
    eks: undefined,
    finds: { cluster: unknown(DISAGREE(ISSUER, 'that the cluster has no issuer')) },
    end: DISAGREE(ISSUER, 'that the cluster has no issuer'),
  },
  'a known issuer becomes unknown when EKS knows no such cluster': {
    before: KNOWN,
    eks: fault('notFound'),
    finds: { cluster: unknown('told: notFound') },
    end: 'told: notFound',
  },
  'a known issuer becomes unknown when the API server will not tell': {
    before: KNOWN,
    issuer: fault('denied'),
    finds: { cluster: unknown('told: denied') },
    end: 'told: denied',
  },
  'a terminal answer counts more than one that does not come': {
    before: KNOWN,
    issuer: fault('transient'),
    eks: fault('notFound'),
    finds: { cluster: unknown('told: notFound') },
    end: 'told: transient',
  },
  'a known issuer becomes unknown when one source says another and the other does not answer': {
    before: KNOWN,
    issuer: OTHER,
    eks: fault('transient'),
    finds: {
      cluster: unknown(`the issuer was "${ISSUER}" and is now reported as "${OTHER}", and not every source answers: told: transient`),
    },
    end: 'told: transient',
  },
  'a new issuer that every source tells takes the place of the old one': {
    before: KNOWN,
    issuer: OTHER,
    eks: OTHER,
    finds: { cluster: { kind: 'known', issuer: OTHER as typeof ISSUER } },
    end: 'recheck',
  },
  // Contract: cluster-not-public
  'an issuer that AWS cannot reach is not public': {
    before: KNOWN,
    issuer: IN_CLUSTER,
    finds: { cluster: { kind: 'unknown', why: expect.stringContaining(`"${IN_CLUSTER}"`), notPublic: true } },
    end: expect.stringContaining(`"${IN_CLUSTER}"`),
  },
  'an issuer that AWS cannot reach is not public, also where EKS says the same': {
    issuer: IN_CLUSTER,
    eks: IN_CLUSTER,
    finds: { cluster: { kind: 'unknown', why: expect.stringContaining(`"${IN_CLUSTER}"`), notPublic: true } },
    end: expect.stringContaining(`"${IN_CLUSTER}"`),
  },
  'an issuer that AWS cannot reach and that EKS does not know is a disagreement first': {
    issuer: IN_CLUSTER,
    eks: ISSUER,
    finds: { cluster: unknown(DISAGREE(IN_CLUSTER, `"${ISSUER}"`)) },
    end: DISAGREE(IN_CLUSTER, `"${ISSUER}"`),
  },
  'who we are is unknown while AWS does not answer': {
    failures: 4,
    caller: fault('transient'),
    finds: { caller: unknown('told: transient'), policyQuota: undefined },
    end: 'told: transient',
  },
  'who we are stays known while AWS does not answer': { before: KNOWN, caller: fault('throttled'), finds: {}, end: 'told: throttled' },
  'who we are becomes unknown when AWS refuses': {
    before: KNOWN,
    caller: new Fault('denied', 'for the log', { told: 'for a status' }),
    finds: { caller: unknown('for a status'), policyQuota: undefined },
    end: 'for the log',
  },
  'the quota is not known while AWS does not answer': {
    failures: 4,
    quota: fault('transient'),
    finds: { policyQuota: undefined },
    end: 'told: transient',
  },
  'the quota stays known while AWS does not answer': { before: KNOWN, quota: fault('transient'), finds: {}, end: 'told: transient' },
  'a caller who may not ask for the quota has the default': { quota: fault('denied'), finds: { policyQuota: 2048 }, end: 'recheck' },
  'a caller who may not ask for the quota any more keeps what was told': {
    before: KNOWN,
    quota: fault('denied'),
    finds: {},
    end: 'recheck',
  },
};
for (const [sentence, { before, failures, finds, end, ...answers }] of Object.entries(cases)) {
  test(sentence, async () => {
    const { found, synced, end: ended } = await look(answers, before, failures);
    expect({ found, synced, end: ended }).toEqual({ found: { ...KNOWN, ...finds }, synced: true, end });
  });
}

// Contract: api-audience-reread
describe('the audiences of the API server', () => {
  const FORBIDDEN =
    'Warning AudienceForbidden: the API server accepts tokens for "sts.amazonaws.com" (--api-audiences), so a token that a pod sends to AWS also opens this cluster. No binding with this audience gets anything. Remove "sts.amazonaws.com" from --api-audiences of the API server';
  const audiences: Record<string, { before?: readonly string[]; now: readonly string[]; told: readonly string[]; minutes: number }> = {
    'are read again every few minutes': { before: USUAL, now: USUAL, told: [], minutes: 5 },
    'are told once for the cluster where that of STS is among them': { now: WITH_STS, told: [FORBIDDEN], minutes: 0.5 },
    'are told when that of STS comes to be among them': { before: USUAL, now: WITH_STS, told: [FORBIDDEN], minutes: 0.5 },
    'are not told again while nothing changes': { before: WITH_STS, now: WITH_STS, told: [], minutes: 0.5 },
    'are believed when that of STS is gone': { before: WITH_STS, now: USUAL, told: [], minutes: 5 },
    'may have others, which are a matter of the bindings that name them': { now: [...USUAL, 'vault'], told: [], minutes: 5 },
  };
  for (const [sentence, { before, now, told, minutes }] of Object.entries(audiences))
    test(sentence, async () => {
      const seen = await look({ audiences: now }, before && { ...KNOWN, apiAudiences: before });
      expect([seen.found?.apiAudiences, seen.told, seen.afterMs]).toEqual([now, told, minutes * 60_000]);
    });
  test('are known although the issuer is not', async () => {
    expect((await look({ issuer: fault('denied'), audiences: WITH_STS }, undefined)).found?.apiAudiences).toEqual(WITH_STS);
  });
});

// Contract: install-no-credentials
test('without AWS credentials the first attempt says so, with the page that helps, and later ones do not repeat it', async () => {
  const none = new Fault('transient', 'sts:GetCallerIdentity: CredentialsProviderError: none', { code: NO_CREDENTIALS });
  const told =
    'Warning NoCredentials: irsa-operator has no AWS credentials. Give its ServiceAccount a role, for example by EKS Pod Identity: docs/iam.md#who-may-be-the-operator';
  expect((await look({ caller: none }, undefined)).told).toEqual([told]);
  expect((await look({ caller: none }, undefined, 1)).told).toEqual([]);
  expect((await look({ caller: fault('transient') }, undefined)).told).toEqual([]);
});

// Contract: cluster-issuer
test('the issuer of the flag is above every source', async () => {
  const told = await look({ issuer: fault('denied'), eks: OTHER }, undefined, 0, ISSUER);
  expect(told).toMatchObject({ found: KNOWN, synced: true, end: 'recheck' });
});

const patient: Record<string, Answers> = {
  'the API server does not answer': { issuer: fault('transient') },
  'EKS is throttled': { eks: fault('throttled') },
  'AWS does not say who we are': { caller: fault('throttled') },
  'the account does not tell its quota': { quota: fault('transient') },
};
for (const [sentence, answers] of Object.entries(patient)) {
  test(`at the start nothing is told for some attempts while ${sentence}: what the bindings say stands`, async () => {
    const { found, synced } = await look(answers, undefined, 3);
    expect([found, synced]).toEqual([undefined, false]);
  });
}

test('at the start what is final is told at once, also beside what may pass', async () => {
  const { found, synced } = await look({ issuer: fault('denied'), caller: fault('transient') }, undefined);
  expect([found?.cluster, synced]).toEqual([unknown('told: denied'), true]);
});
