import { expect, test } from 'vitest';
import type { IrsaBinding } from '../../api/binding.ts';
import type { IrsaGrant } from '../../api/grant.ts';
import type { Stance } from '../../domain/role/desired-trust.ts';
import { binding, grant, NOW, question } from '../../domain/test-observed.ts';
import { silentLog } from '../../runtime/log.ts';
import { isEvident } from './confirm-revocation.ts';
import type { Evidence, TrustOptions } from './ports.ts';

const { signal } = new AbortController();
const stance = (kind: Stance['kind'], one: IrsaBinding = binding(), lost?: Stance['lost']): Stance => ({
  kind,
  question: question(),
  binding: one,
  stands: true,
  consents: [],
  lost,
});
const deleted = stance('released', binding({ metadata: { deleting: true } }));
const ungranted = stance('released', binding(), { since: NOW - 60_000, dueAt: NOW, paused: undefined });

interface Said {
  readonly grants?: readonly IrsaGrant[];
  readonly labels?: Readonly<Record<string, string>>;
  readonly retiring?: boolean;
}

/** What the API server says, and what it was asked. */
function apiServer({ grants = [], labels = {}, retiring = false }: Said) {
  const asked: string[] = [];
  const answer = <T>(question: string, said: T): T => {
    asked.push(question);
    return said;
  };
  const evidence: Evidence = {
    grants: async () => answer('grants', grants),
    namespace: async (name) => answer(`namespace ${name}`, { name, labels }),
    isRetiring: async () => answer('crd', retiring),
  };
  return { asked, evidence };
}

const selecting = grant({ namespaces: { selector: { matchLabels: { team: 'a' } } } });
const cases: Record<string, { stances: Stance[]; said?: Said; evident: boolean; asked: string[] }> = {
  'nothing is asked where nothing is taken away': { stances: [stance('wanted')], evident: true, asked: [] },
  'a deletion is evident while the CRD stands': { stances: [deleted], evident: true, asked: ['crd'] },
  // Contract: rule-crd-deleted
  'a deletion is not, when the CRD goes with every binding in it': {
    stances: [deleted],
    said: { retiring: true },
    evident: false,
    asked: ['crd'],
  },
  'a role that was changed is evident': { stances: [stance('released')], evident: true, asked: [] },
  'a lost grant is evident when the API server knows of none': { stances: [ungranted], evident: true, asked: ['grants', 'namespace shop'] },
  // Contract: rule-grant-lost-60s
  'a lost grant is not, when the API server knows one': {
    stances: [ungranted],
    said: { grants: [grant()] },
    evident: false,
    asked: ['grants', 'namespace shop'],
  },
  'a lost grant is not, when the namespace has its label': {
    stances: [ungranted],
    said: { grants: [selecting], labels: { team: 'a' } },
    evident: false,
    asked: ['grants', 'namespace shop'],
  },
};
for (const [sentence, { stances, said = {}, evident, asked }] of Object.entries(cases))
  test(sentence, async () => {
    const server = apiServer(said);
    const found = await isEvident({ changes: stances }, { evidence: server.evidence } as TrustOptions, silentLog, signal);
    expect([found, server.asked]).toEqual([evident, asked]);
  });
