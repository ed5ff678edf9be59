import { expect, test } from 'vitest';
import { Fault, type FaultKind } from '../../api/fault.ts';
import type { CallerView, ClusterView, Identity } from '../../domain/state/identity.ts';

import { caller, cluster, ISSUER } from '../../domain/test-observed.ts';
import { silentLog } from '../../runtime/log.ts';
import { createStores, HERE } from '../stores.ts';
import { clusterController } from './index.ts';
import type { IdentityPorts } from './ports.ts';

const { signal } = new AbortController();
const OTHER = 'https://oidc.eks.eu-west-1.amazonaws.com/id/EFGH';
const KNOWN: Identity = { cluster, caller, policyQuota: 4096 };
const fault = (kind: FaultKind) => new Fault(kind, `told: ${kind}`);

interface Answers {
  readonly issuer?: string | Fault;
  /** Undefined: EKS knows of no issuer. Left out: it is not asked. */
  readonly eks?: string | Fault | undefined;
  readonly caller?: CallerView | Fault;
  readonly quota?: number | Fault;
}

const answer = async <T>(value: T | Fault): Promise<T> => {
  if (value instanceof Fault) throw value;
  return value;
};

/** One look, after what was known before; what is known then, and how it ended. */
async function look(answers: Answers, before: Identity | undefined, failures = 0, oidcIssuer?: typeof ISSUER) {
  const seen = createStores(silentLog);
  if (before !== undefined) {
    seen.identity.put(before);
    seen.identity.markSynced();
  }
  const ports: IdentityPorts = {
    issuer: () => answer(answers.issuer ?? ISSUER),
    eksIssuer: 'eks' in answers ? () => answer(answers.eks) : undefined,
    caller: () => answer(answers.caller ?? caller),
    policyQuota: () => answer(answers.quota ?? 4096),
  };
  const attempt = { id: 'x', urgency: 'resync', failures, log: silentLog } as const;
  const controller = clusterController({ stores: seen, owned: seen, ports, oidcIssuer, ids: {} });
  const end = await controller.reconcile(HERE, signal, attempt).then(
    ({ kind }) => kind,
    (error: Error) => error.message,
  );
  return { found: seen.identity.get(HERE), synced: seen.identity.hasSynced, end };
}

const unknown = (why: string): ClusterView & CallerView => ({ kind: 'unknown', why });
const DISAGREE = (told: string, eks: string) =>
  `the API server issues tokens as "${told}", and eks:DescribeCluster says ${eks}: is --eks-cluster-name the name of this cluster?`;

interface Case extends Answers {
  readonly before?: Identity;
  /** How often it failed before, at the start. */
  readonly failures?: number;
  readonly finds: Partial<Identity>;
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
  'an issuer that IAM can have no provider for is unknown': {
    before: KNOWN,
    issuer: 'https://kubernetes.default.svc:443',
    finds: { cluster: unknown(expect.stringContaining('"https://kubernetes.default.svc:443" is not a plain https URL')) },
    end: expect.stringContaining('openid-configuration'),
  },
  'who we are is unknown while AWS does not answer': {
    failures: 4,
    caller: fault('transient'),
    finds: { caller: unknown('told: transient') },
    end: 'told: transient',
  },
  'who we are stays known while AWS does not answer': { before: KNOWN, caller: fault('throttled'), finds: {}, end: 'told: throttled' },
  'who we are becomes unknown when AWS refuses': {
    before: KNOWN,
    caller: fault('denied'),
    finds: { caller: unknown('told: denied') },
    end: 'told: denied',
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
  test(sentence, async () => expect(await look(answers, before, failures)).toEqual({ found: { ...KNOWN, ...finds }, synced: true, end }));
}

// Contract: cluster-issuer
test('the issuer of the flag is above every source', async () => {
  const told = await look({ issuer: fault('denied'), eks: OTHER }, undefined, 0, ISSUER);
  expect(told).toEqual({ found: KNOWN, synced: true, end: 'recheck' });
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
