import { expect, test } from 'vitest';
import type { IrsaBinding } from '../../api/binding.ts';
import type { IrsaGrant } from '../../api/grant.ts';
import type { DesiredTrust } from '../../domain/role/desired-trust.ts';
import { binding, grant, NOW, question, spec } from '../../domain/test-observed.ts';
import type { APIReader } from '../../ports/api-reader.ts';
import { silentLog } from '../../runtime/log.ts';
import { confirmRevocation } from './confirm-revocation.ts';
import type { RoleOptions } from './ports.ts';

const { signal } = new AbortController();
const desired = (kind: DesiredTrust['kind'], one: IrsaBinding = binding(), grantLoss?: DesiredTrust['grantLoss']): DesiredTrust => ({
  kind,
  question: question(),
  binding: one,
  spec: spec(),
  mayStand: true,
  requiredTags: [],
  grantLoss,
});
const deleted = desired('revoke', binding({ metadata: { deleting: true } }));
const ungranted = desired('revoke', binding(), { since: NOW - 60_000, dueAt: NOW, paused: undefined });

interface Said {
  readonly grants?: readonly IrsaGrant[];
  readonly labels?: Readonly<Record<string, string>>;
  readonly crdDeleting?: boolean;
}

/** What the API server says, and what it was asked. */
function apiServer({ grants = [], labels = {}, crdDeleting = false }: Said) {
  const asked: string[] = [];
  const answer = <T>(question: string, said: T): T => {
    asked.push(question);
    return said;
  };
  const apiReader: APIReader = {
    grants: async () => answer('grants', grants),
    namespace: async (name) => answer(`namespace ${name}`, { name, labels }),
    isCrdDeleting: async () => answer('crd', crdDeleting),
  };
  return { asked, apiReader };
}

const selecting = grant({ namespaces: { selector: { matchLabels: { team: 'a' } } } });
const cases: Record<string, { desiredTrust: DesiredTrust[]; said?: Said; evident: boolean; asked: string[] }> = {
  'nothing is asked where nothing is taken away': { desiredTrust: [desired('ensure')], evident: true, asked: [] },
  'a deletion is evident while the CRD stands': { desiredTrust: [deleted], evident: true, asked: ['crd'] },
  // Contract: rule-crd-deleted
  'a deletion is not, when the CRD goes with every binding in it': {
    desiredTrust: [deleted],
    said: { crdDeleting: true },
    evident: false,
    asked: ['crd'],
  },
  'a role that was changed is evident': { desiredTrust: [desired('revoke')], evident: true, asked: [] },
  'a lost grant is evident when the API server knows of none': {
    desiredTrust: [ungranted],
    evident: true,
    asked: ['grants', 'namespace shop'],
  },
  // Contract: rule-grant-lost-60s
  'a lost grant is not, when the API server knows one': {
    desiredTrust: [ungranted],
    said: { grants: [grant()] },
    evident: false,
    asked: ['grants', 'namespace shop'],
  },
  'a lost grant is not, when the namespace has its label': {
    desiredTrust: [ungranted],
    said: { grants: [selecting], labels: { team: 'a' } },
    evident: false,
    asked: ['grants', 'namespace shop'],
  },
};
for (const [sentence, { desiredTrust, said = {}, evident, asked }] of Object.entries(cases))
  test(sentence, async () => {
    const server = apiServer(said);
    const found = await confirmRevocation({ changes: desiredTrust }, { apiReader: server.apiReader } as RoleOptions, silentLog, signal);
    expect([found, server.asked]).toEqual([evident, asked]);
  });
