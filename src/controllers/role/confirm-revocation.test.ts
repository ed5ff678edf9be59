import { expect, test } from 'vitest';
import type { IrsaBinding } from '../../api/binding.ts';
import type { IrsaGrant } from '../../api/grant.ts';
import type { DueLoss } from '../../domain/authorization/loss.ts';
import type { DesiredTrust } from '../../domain/role/desired-trust.ts';
import { binding, grant, loss, question, spec } from '../../domain/test-observed.ts';
import type { APIReader } from '../../ports/api-reader.ts';
import { silentLog } from '../../runtime/log.ts';
import { unconfirmed } from './confirm-revocation.ts';
import type { RoleOptions } from './ports.ts';

const { signal } = new AbortController();
const desired = (kind: DesiredTrust['kind'], one: IrsaBinding = binding()): DesiredTrust => ({
  kind,
  question: question(),
  binding: one,
  spec: spec(),
  mayStand: true,
  requiredTags: [],
  loss: undefined,
});
const deleted = desired('revoke', binding({ metadata: { deleting: true } }));

interface Said {
  readonly grants?: readonly IrsaGrant[];
  readonly gone?: 'bindings' | 'grants';
}

/** What the API server says, and what it was asked. */
function apiServer({ grants = [], gone }: Said) {
  const asked: string[] = [];
  const answer = <T>(question: string, said: T): T => {
    asked.push(question);
    return said;
  };
  const apiReader: APIReader = {
    grants: async () => answer('grants', grants),
    namespace: async (name) => answer(`namespace ${name}`, { name, labels: {} }),
    definition: async (of) => answer(`definition of ${of}`, of === gone ? undefined : 'definition'),
  };
  return { asked, apiReader };
}

const whole = ['definition of bindings', 'definition of grants', 'grants', 'namespace shop'];
const cases: Record<string, { changes?: DesiredTrust[]; revoked?: DueLoss[]; said?: Said; evident: boolean; asked: string[] }> = {
  'nothing is asked where nothing is taken away': { changes: [desired('ensure')], evident: true, asked: [] },
  'a deletion is evident while the CRD stands': { changes: [deleted], evident: true, asked: ['definition of bindings'] },
  // Contract: rule-crd-deleted
  'a deletion is not, when the CRD goes with every binding in it': {
    changes: [deleted],
    said: { gone: 'bindings' },
    evident: false,
    asked: ['definition of bindings'],
  },
  'a role that was changed is evident': { changes: [desired('revoke')], evident: true, asked: [] },
  'a lost grant is evident when the API server knows of none': { revoked: [loss()], evident: true, asked: whole },
  // Contract: rule-grant-lost-60s
  'a lost grant is not, when the API server knows one': { revoked: [loss()], said: { grants: [grant()] }, evident: false, asked: whole },
  // Contract: rule-crd-deleted
  'a lost grant is not, when the CRD of the bindings goes': {
    revoked: [loss()],
    said: { gone: 'bindings' },
    evident: false,
    asked: ['definition of bindings'],
  },
  // Contract: rule-crd-deleted
  'a lost grant is not, when the CRD of the grants goes with every grant in it': {
    revoked: [loss()],
    said: { gone: 'grants' },
    evident: false,
    asked: whole,
  },
};
for (const [sentence, { changes = [], revoked = [], said = {}, evident, asked }] of Object.entries(cases))
  test(sentence, async () => {
    const server = apiServer(said);
    const found = await unconfirmed({ changes, revoked }, new Map(), { apiReader: server.apiReader } as RoleOptions, silentLog, signal);
    expect([found === undefined, server.asked]).toEqual([evident, asked]);
    if (!evident) expect(found).toEqual({ kind: 'unconfirmed', losses: revoked });
  });

test('one that is not evident does not speak against another that is', async () => {
  const other = loss({ subject: 'system:serviceaccount:shop:other' });
  const { apiReader } = apiServer({ grants: [grant({ serviceAccountNames: ['other'] })] });
  const found = await unconfirmed({ changes: [], revoked: [loss(), other] }, new Map(), { apiReader } as RoleOptions, silentLog, signal);
  expect(found).toEqual({ kind: 'unconfirmed', losses: [other] });
});
