import { describe, expect, test } from 'vitest';
import { Fault } from '../../api/fault.ts';
import { finding } from '../../api/finding.ts';
import { PAUSED_ROLE_TAG } from '../../api/names.ts';
import type { Hold, OtherRole, RoleRecord, WriteState } from '../../domain/state/role-record.ts';
import { ARN, NOW, present } from '../../domain/test-observed.ts';
import type { FreshRole, Roles } from '../../ports/roles.ts';
import { silentLog } from '../../runtime/log.ts';
import { ManualClock } from '../../runtime/manual-clock.ts';
import { createStores } from '../stores.ts';

import { confirmed, conflicted, held, listed, readRole, unanswered, written } from './records.ts';

const { signal } = new AbortController();
const HOLD: Hold = { since: NOW, until: NOW + 60_000, finding: finding('RolePaused', 'paused'), allowsRevocation: true };
/** Our write of "sent" at this time, not read back yet. */
const sentAt = (at: number, policy = 'sent'): Partial<WriteState> => ({ pending: { at, policy } });
const TAGS = { values: new Map(), asOf: NOW, since: NOW };
const role = (policy: string, roleId = 'AROAAPP') => ({ arn: ARN, roleId, policy });

function records(...known: readonly RoleRecord[]) {
  const { roles } = createStores(silentLog);
  for (const record of known) roles.put(record);
  return roles;
}

/** IAM with this one answer; `meanwhile` happens while the call is under way. */
function iam(answer: (Omit<FreshRole, 'tags'> & Partial<FreshRole>) | Fault, meanwhile: () => void = () => {}): Roles {
  const unused = () => Promise.reject(new Error('only a read was expected'));
  return {
    async read() {
      meanwhile();
      if (answer instanceof Fault) throw answer;
      return { tags: new Map(), ...answer };
    },
    edit: unused,
    policyQuota: unused,
    list: () => {
      throw new Error('only a read was expected');
    },
  };
}

describe('a page of a list', () => {
  const cases: Record<string, { known: RoleRecord | undefined; asOf: number; taken: boolean }> = {
    'is news of a role that is not known': { known: undefined, asOf: NOW, taken: true },
    'is news where it was asked for after the last read': { known: present({ policy: 'old' }), asOf: NOW + 1, taken: true },
    'is ignored where it was asked for before the last read': { known: present({ policy: 'old' }), asOf: NOW - 1, taken: false },
    'is ignored where it was asked for at the same time': { known: present({ policy: 'old' }), asOf: NOW, taken: false },
    'is ignored while our write was not read back, however late it was asked for': {
      known: present({ policy: 'old' }, NOW, sentAt(NOW)),
      asOf: NOW + 600_000,
      taken: false,
    },
    'brings back a role that was missing': {
      known: { arn: ARN, asOf: NOW, state: { kind: 'missing', since: 0, foundAs: undefined } },
      asOf: NOW + 1,
      taken: true,
    },
    'tells what could not be read': {
      known: { arn: ARN, asOf: NOW, state: { kind: 'unreadable', since: NOW, why: 'x' } },
      asOf: NOW + 1,
      taken: true,
    },
  };
  for (const [sentence, { known, asOf, taken }] of Object.entries(cases)) {
    test(sentence, () => {
      const store = records(...(known === undefined ? [] : [known]));
      listed(store, ARN, role('new'), asOf);
      expect(store.get(ARN)).toEqual(taken ? present({ policy: 'new' }, asOf) : known);
    });
  }
  test('says nothing of a pause: it has no tags', () => {
    const store = records(present({ policy: 'old', hold: HOLD }, NOW - 1));
    listed(store, ARN, role('old'), NOW);
    expect(store.get(ARN)).toEqual(present({ policy: 'old', hold: HOLD }));
  });
  test('that was asked for before our write, and comes after it, is ignored', () => {
    const store = records(present({ policy: 'before' }));
    written(store, ARN, 'sent', NOW);
    listed(store, ARN, role('before'), NOW - 10);
    expect(store.get(ARN)).toEqual(present({ policy: 'sent' }, NOW, sentAt(NOW)));
  });
});

describe('a read', () => {
  const read = async (answer: Parameters<typeof iam>[0], ...known: readonly RoleRecord[]) => {
    const store = records(...known);
    await readRole(store, iam(answer), ARN, new ManualClock(NOW), signal, 'drift', silentLog);
    return store.get(ARN);
  };
  const missing = (since: number, asOf = NOW, foundAs?: OtherRole): RoleRecord => ({
    arn: ARN,
    asOf,
    state: { kind: 'missing', since, foundAs },
  });

  test('keeps the role as it is', async () => expect(await read(role('p'))).toEqual(present({ policy: 'p', tags: TAGS })));
  test('is as old as its call, not as its answer', async () => {
    const clock = new ManualClock(NOW);
    const store = records();
    await readRole(
      store,
      iam(role('p'), () => clock.freeze(5_000)),
      ARN,
      clock,
      signal,
      'drift',
      silentLog,
    );
    expect(store.get(ARN)?.asOf).toBe(NOW);
  });
  test('tells when a role was missing first', async () => expect(await read(new Fault('notFound', 'x'))).toEqual(missing(NOW)));
  test('keeps since when it is missing', async () =>
    expect(await read(new Fault('notFound', 'x'), missing(NOW - 30_000, NOW - 30_000))).toEqual(missing(NOW - 30_000)));
  test('begins anew where the role was there in between', async () =>
    expect(await read(new Fault('notFound', 'x'), present({}, NOW - 1))).toEqual(missing(NOW)));
  test('does not take a role of another path for the one that was asked for', async () => {
    const elsewhere = 'arn:aws:iam::111122223333:role/app';
    expect(await read({ ...role('p'), arn: elsewhere })).toEqual(missing(NOW, NOW, { arn: elsewhere, tags: TAGS.values }));
  });
  test('that is denied keeps the reason, and since when it is so', async () => {
    const denied = (since: number): RoleRecord => ({ arn: ARN, asOf: NOW, state: { kind: 'unreadable', since, why: 'not authorized' } });
    expect(await read(new Fault('denied', 'not authorized'))).toEqual(denied(NOW));
    expect(await read(new Fault('denied', 'not authorized'), { ...denied(NOW - 30_000), asOf: NOW - 30_000 })).toEqual(
      denied(NOW - 30_000),
    );
  });
  test('that is denied has the words of IAM in the log, once, and those for a status in the record', async () => {
    const fault = new Fault('denied', 'User: arn:aws:sts::... is not authorized', { told: 'AccessDenied' });
    const lines: unknown[] = [];
    const log = { ...silentLog, warn: (fields: object) => lines.push(fields) };
    const store = records();
    for (let time = 0; time < 2; time++) await readRole(store, iam(fault), ARN, new ManualClock(NOW), signal, 'drift', log);
    expect(lines).toEqual([{ err: fault, role: ARN }]);
    expect(store.get(ARN)?.state).toMatchObject({ kind: 'unreadable', why: 'AccessDenied' });
  });
  for (const kind of ['throttled', 'transient', 'invalid', 'conflict'] as const) {
    // Contract: rule-positive-evidence
    test(`that is ${kind} is tried again, and changes nothing`, async () => {
      const store = records(present({}, NOW - 1));
      const fault = new Fault(kind, 'x');
      await expect(readRole(store, iam(fault), ARN, new ManualClock(NOW), signal, 'drift', silentLog)).rejects.toBe(fault);
      expect(store.get(ARN)).toEqual(present({}, NOW - 1));
    });
  }
  test('keeps our write in doubt, and drops the hold, when the policy differs', async () =>
    expect(await read(role('new'), present({ policy: 'old', hold: HOLD }, NOW - 2_000, sentAt(NOW - 2_000)))).toEqual(
      present({ policy: 'new', tags: TAGS }, NOW, sentAt(NOW - 2_000)),
    ));
  test('keeps what IAM rejected on hold where the role is as it was', async () => {
    const hold = { ...HOLD, finding: finding('TrustWriteRejected', 'rejected'), allowsRevocation: false };
    expect(await read(role('old'), present({ policy: 'old', hold }, NOW - 1))).toEqual(present({ policy: 'old', hold, tags: TAGS }));
  });
  test('keeps a pause while the role carries its tag, and lifts it when the tag is gone', async () => {
    const before = present({ policy: 'old', hold: HOLD }, NOW - 1);
    const tags = new Map([[PAUSED_ROLE_TAG, 'true']]);
    expect(await read({ ...role('old'), tags }, before)).toEqual(present({ policy: 'old', hold: HOLD, tags: { ...TAGS, values: tags } }));
    expect(await read(role('old'), before)).toEqual(present({ policy: 'old', tags: TAGS }));
  });
  test('of a role that was made again starts without our write and without the hold', async () =>
    expect(await read(role('old', 'AROANEW'), present({ policy: 'old', hold: HOLD }, NOW - 1, sentAt(NOW - 1)))).toEqual(
      present({ policy: 'old', roleId: 'AROANEW', tags: TAGS }),
    ));
  test('remembers since when the tags are these', async () => {
    const before = present({ policy: 'p', tags: { values: new Map(), asOf: NOW - 5_000, since: NOW - 9_000 } }, NOW - 5_000);
    expect(await read(role('p'), before)).toEqual(present({ policy: 'p', tags: { ...TAGS, since: NOW - 9_000 } }));
    const other = present({ policy: 'p', tags: { values: new Map([['a', 'b']]), asOf: NOW - 5_000, since: NOW - 9_000 } }, NOW - 5_000);
    expect(await read(role('p'), other)).toEqual(present({ policy: 'p', tags: TAGS }));
  });

  const overtaken: Record<string, Parameters<typeof iam>[0]> = {
    'shows the former policy': role('before'),
    'says that the role is missing': new Fault('notFound', 'x'),
    'is denied': new Fault('denied', 'x'),
  };
  for (const [sentence, answer] of Object.entries(overtaken)) {
    test(`that began before our write and ${sentence} does not overwrite it`, async () => {
      const clock = new ManualClock(NOW);
      const store = records(present({ policy: 'before' }, NOW - 1));
      const write = () => {
        clock.freeze(100);
        written(store, ARN, 'sent', clock.now());
      };
      await readRole(store, iam(answer, write), ARN, clock, signal, 'drift', silentLog);
      expect(store.get(ARN)).toEqual(present({ policy: 'sent' }, NOW + 100, sentAt(NOW + 100)));
    });
  }
  test('is taken where the clock was set back since the last one', async () =>
    expect(await read(role('new'), present({ policy: 'old' }, NOW + 3_600_000))).toEqual(present({ policy: 'new', tags: TAGS })));
});

describe('a write that is not read back', () => {
  const doubted = present({ policy: 'before' }, NOW, sentAt(NOW));
  const pendingAfter = async (answer: Parameters<typeof iam>[0], known = doubted) => {
    const roles = records(known);
    await readRole(roles, iam(answer), ARN, new ManualClock(NOW + 1_000), signal, 'drift', silentLog);
    return roles;
  };
  for (const kind of ['denied', 'notFound'] as const)
    test(`stays in doubt while the role is ${kind}: a list that does not show it afterwards proves nothing`, async () => {
      const roles = await pendingAfter(new Fault(kind, 'x'));
      listed(roles, ARN, role('before'), NOW + 60_000);
      expect(roles.get(ARN)?.state.kind).toBe(kind === 'denied' ? 'unreadable' : 'missing');
      await readRole(roles, iam(role('before')), ARN, new ManualClock(NOW + 60_000), signal, 'drift', silentLog);
      expect(roles.get(ARN)?.state).toMatchObject({ kind: 'present', writes: { pending: { at: NOW, policy: 'sent' } } });
    });
  test('stands or was never made, where no answer came', () => {
    const roles = records(present({ policy: 'before' }));
    unanswered(roles, ARN, 'sent', NOW + 5);
    expect(roles.get(ARN)?.state).toMatchObject({
      policy: 'before',
      writes: { pending: { at: NOW + 5, policy: 'sent', unanswered: true } },
    });
  });
});

describe('after a write', () => {
  test('what was sent is what stands, and a hold is over', () => {
    const store = records(present({ policy: 'old', hold: HOLD }));
    written(store, ARN, 'sent', NOW + 5);
    expect(store.get(ARN)).toEqual(present({ policy: 'sent' }, NOW + 5, sentAt(NOW + 5)));
  });
  test('it is no longer in doubt when it was read back', () => {
    const store = records(present({ policy: 'sent' }, NOW, { ...sentAt(NOW - 8_000), conflicts: 2 }));
    confirmed(store, ARN);
    expect(store.get(ARN)).toEqual(present({ policy: 'sent' }, NOW, { confirmed: 'sent' }));
  });
  // Contract: trust-lost-update
  test('that was overwritten the next one waits, longer each time', () => {
    const store = records(present({ policy: 'theirs' }, NOW, sentAt(NOW - 8_000)));
    const wait = (conflicts: number) => NOW + 1_000 * 2 ** conflicts;
    conflicted(store, ARN, NOW, [], wait);
    expect(store.get(ARN)).toEqual(present({ policy: 'theirs' }, NOW, { conflicts: 1, retryAt: NOW + 1_000 }));
    conflicted(store, ARN, NOW, [], wait);
    expect(store.get(ARN)).toEqual(present({ policy: 'theirs' }, NOW, { conflicts: 2, retryAt: NOW + 2_000 }));
  });
  test('nothing is gathered or waited for any more', () => {
    const store = records(
      present({ policy: 'old' }, NOW, { debounce: { since: NOW, awaited: 1, progressAt: NOW }, retryAt: NOW, conflicts: 1 }),
    );
    written(store, ARN, 'sent', NOW);
    expect(store.get(ARN)).toEqual(present({ policy: 'sent' }, NOW, { ...sentAt(NOW), conflicts: 1 }));
  });
});

describe('of a write that was not read back yet', () => {
  const WRITTEN = NOW - 5_000;
  const shown = (part: { asOf?: number; roleId?: string; policy?: string; writes?: Partial<WriteState> }) => {
    const { asOf = NOW, roleId, policy = '{"Statement":["sent"]}', writes = sentAt(WRITTEN, '{"Statement":["sent"]}') } = part;
    const store = records(present({ policy: '{"Statement":["sent"]}' }, WRITTEN, writes));
    listed(store, ARN, role(policy, roleId), asOf);
    return store.get(ARN)?.asOf === asOf;
  };
  // Contract: trust-read-back
  test('a list shows that it is there, where it was asked for 2 s after the write or later', () =>
    expect([shown({}), shown({ asOf: WRITTEN + 2_000 }), shown({ asOf: WRITTEN + 1_999 })]).toEqual([true, true, false]));
  // Contract: trust-read-back
  test('a list shows nothing else: not that it went, not of another role, and not where no answer came', () => {
    const odd = [
      { policy: '{"Statement":["other"]}' },
      { roleId: 'AROAOTHER' },
      { writes: { pending: { at: WRITTEN, policy: '{"Statement":["sent"]}', unanswered: true as const } } },
    ];
    expect(odd.map(shown)).toEqual([false, false, false]);
  });
});

test('a hold stands beside what is known', () => {
  const store = records(present({}, NOW, sentAt(NOW)));
  held(store, ARN, HOLD);
  expect(store.get(ARN)).toEqual(present({ hold: HOLD }, NOW, sentAt(NOW)));
});

test('nothing is believed or held of a role that is not known, or not there', () => {
  const gone: RoleRecord = { arn: ARN, asOf: NOW, state: { kind: 'missing', since: NOW, foundAs: undefined } };
  for (const known of [[], [gone]]) {
    const store = records(...known);
    confirmed(store, ARN);
    held(store, ARN, HOLD);
    expect(store.list()).toEqual(known);
  }
});
