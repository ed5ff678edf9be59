import { describe, expect, test } from 'vitest';
import { FAULT_KINDS, Fault } from '../../api/fault.ts';
import { problem } from '../../api/problem.ts';
import { ARN, binding, caller, ISSUER, OTHER_ARN, own, policy, SERVICE, SUBJECT } from '../../domain/test-observed.ts';
import { NOBODY, sidFor } from '../../trust/document/own-statement.ts';
import { Account, foreign, stores } from '../test-account.ts';
import { prune } from './prune.ts';

const GONE = 'system:serviceaccount:shop:gone';
const confirm = { confirm: true, 'sole-cluster': true };
const audience = 'sts.amazonaws.com';
const withOrphan = policy(SERVICE, own([SUBJECT, GONE]));
const untouched = (role: string) => ({
  ...rowOf('refused', role),
  message: `another writer changed the statement "${sidFor(ISSUER, audience)}", or added a second one. It allows, or may allow, the subject. Remove the subject or the statement by hand`,
});
const rowOf = (result: string, role: string = ARN, subject = GONE) => ({ result, role, subject, audience });

describe('an orphan', () => {
  // Contract: rule-prune
  test('is listed, and stays, without --confirm', async () => {
    const account = new Account({ [OTHER_ARN]: foreign, [ARN]: withOrphan });
    const report = await stores(account).run(prune);
    expect([report.rows, report.exitCode, account.writes]).toEqual([[rowOf('orphaned')], 1, []]);
    expect(report.summary).toBe(
      `"${ISSUER}": 1 orphaned; irsa-operator prune --sole-cluster --confirm removes them, if no other cluster has this issuer`,
    );
  });

  // Contract: rule-prune
  test('is removed with --confirm, by one write a role, and nothing else is', async () => {
    const account = new Account({ [ARN]: withOrphan, [OTHER_ARN]: policy(SERVICE, own([GONE, 'repo:odd']), own([GONE], 'sigstore')) });
    const report = await stores(account).run(prune, confirm);
    expect([report.rows, report.exitCode]).toEqual([
      [
        rowOf('removed'),
        rowOf('removed', OTHER_ARN, 'repo:odd'),
        rowOf('removed', OTHER_ARN),
        { ...rowOf('removed', OTHER_ARN), audience: 'sigstore' },
      ],
      0,
    ]);
    expect(account.writes).toEqual([
      [ARN, policy(SERVICE, own([SUBJECT]))],
      [OTHER_ARN, foreign],
    ]);
  });

  test('that is all of a document leaves a statement that lets nobody in', async () => {
    const account = new Account({ [ARN]: policy(own([GONE])) });
    await stores(account).run(prune, confirm);
    expect(account.writes).toEqual([[ARN, policy(own([NOBODY]))]]);
  });

  test('goes from a paused role too, because that is a revocation', async () => {
    const account = new Account({ [ARN]: { policy: withOrphan, tags: { 'irsa-operator.dev/paused': 'true' } } });
    expect((await stores(account).run(prune, confirm)).rows).toEqual([rowOf('removed')]);
  });
});

// Contract: fleet-cluster-id
describe('where other clusters may have this issuer', () => {
  test('nothing is removed before the user says that there is none', async () => {
    const account = new Account({ [ARN]: withOrphan });
    await expect(stores(account).run(prune, { confirm: true })).rejects.toThrow('Say --sole-cluster if there is none');
    expect(account.writes).toEqual([]);
  });

  test('the one that is named loses its orphans, and no other cluster does', async () => {
    const blue = { ...own([SUBJECT, GONE]), Sid: sidFor(ISSUER, audience, 'blue') };
    const account = new Account({ [ARN]: policy(SERVICE, own([GONE]), blue) });
    const report = await stores(account).run(prune, { confirm: true, 'cluster-id': 'blue' });
    expect([report.rows, account.writes]).toEqual([
      [rowOf('removed')],
      [[ARN, policy(SERVICE, own([GONE]), { ...blue, ...own([SUBJECT]), Sid: blue.Sid })]],
    ]);
  });
});

describe('nothing is removed', () => {
  const changed = { ...own([GONE]), Effect: 'Deny' };
  const kept: Record<string, Record<string, string>> = {
    'where every subject is named': { [ARN]: policy(SERVICE, own()) },
    'from a foreign statement': { [ARN]: policy({ ...own([GONE]), Sid: 'Theirs' }) },
    'from one with our Sid that somebody changed': { [ARN]: policy(changed) },
    'from what cannot be read': { [ARN]: `${withOrphan}]` },
    'from the role that we run as': { 'arn:aws:iam::111122223333:role/x/irsa-operator': policy(own([GONE])) },
  };
  for (const [sentence, roles] of Object.entries(kept))
    test(sentence, async () => {
      const account = new Account(roles);
      const report = await stores(account).run(prune, confirm);
      expect([report.rows, account.writes, report.exitCode]).toEqual([[], [], 0]);
      expect(report.summary).toBe(`"${ISSUER}": no orphans: a binding names every subject of the statements of irsa-operator`);
    });

  // Contract: trust-changed-statement
  test('from a statement that another writer changed, and its orphans are told', async () => {
    const widened = { ...own([SUBJECT, GONE]), Action: ['sts:AssumeRoleWithWebIdentity', 'sts:TagSession'] };
    const account = new Account({ [ARN]: policy(widened), [OTHER_ARN]: policy(own([GONE]), own([GONE])) });
    const report = await stores(account).run(prune, confirm);
    expect([report.rows, report.exitCode, account.writes]).toEqual([[untouched(ARN), untouched(OTHER_ARN)], 1, []]);
  });

  test('from a statement that another writer changes between the list and the write', async () => {
    const account = new Account({ [ARN]: withOrphan });
    account.beforeDecision = () => account.roles.set(ARN, { policy: policy({ ...own([GONE]), Action: 'sts:*' }) });
    const w = stores(account);
    const read = account.read.bind(account);
    // Both reads before the write show the change.
    account.read = async (role) => {
      account.beforeDecision(role);
      return read(role);
    };
    const report = await w.run(prune, confirm);
    expect([report.rows, report.exitCode, account.writes]).toEqual([[untouched(ARN)], 1, []]);
  });

  const fails: Record<string, (account: Account, w: ReturnType<typeof stores>) => Parameters<typeof w.run>[2]> = {
    'when the bindings cannot all be listed': (_, { ports }) => {
      const bindings = () => Promise.reject(new Fault('transient', 'the list of IrsaBindings expired before its end'));
      return { cluster: () => ({ ...ports.cluster(), bindings }) };
    },
    'when the roles cannot all be listed': (account) => {
      account.faults.set('list-end', new Fault('throttled', 'slow down'));
      return {};
    },
    'when AWS does not say who we are': () => ({ caller: async () => ({ kind: 'unknown', why: 'x' }) }),
    'while the CRD of the bindings is being deleted': (_, { seen }) => {
      seen.crdDeleting = true;
      return {};
    },
    'when no cluster is configured': () => ({
      cluster: () => {
        throw new Fault('notFound', 'no cluster to talk to');
      },
    }),
    'when EKS knows the cluster by another issuer': () => ({ eksIssuer: async () => 'https://oidc.eks.eu-west-1.amazonaws.com/id/OTHER' }),
    'when EKS does not answer': () => ({ eksIssuer: () => Promise.reject(new Fault('denied', 'no')) }),
  };
  for (const [sentence, breakIt] of Object.entries(fails))
    test(sentence, async () => {
      const account = new Account({ [ARN]: withOrphan });
      const w = stores(account);
      await expect(w.run(prune, confirm, breakIt(account, w) ?? {})).rejects.toBeInstanceOf(Fault);
      expect(account.writes).toEqual([]);
    });

  // Contract: rule-prune
  test('where a binding of its namespace cannot be read, and that is told', async () => {
    const unread = { ...binding({ metadata: { name: 'broken', uid: 'broken' } }), spec: problem('spec.roleArn: it is none') };
    const message =
      'IrsaBinding "shop/broken" cannot be read: spec.roleArn: it is none. Whether it names the subject is not known. The subject is kept. Correct the binding or delete it';
    for (const given of [{}, confirm]) {
      const account = new Account({ [ARN]: withOrphan });
      const report = await stores(account, { bindings: [binding(), unread] }).run(prune, given);
      expect([report.rows, report.exitCode, account.writes]).toEqual([[{ ...rowOf('refused'), message }], 1, []]);
    }
  });

  test('when a binding for it comes between the list and the write', async () => {
    const account = new Account({ [ARN]: withOrphan });
    const w = stores(account);
    account.beforeDecision = () => {
      w.seen.bindings = [...w.seen.bindings, binding({ metadata: { name: 'late', uid: 'late' }, spec: { serviceAccountName: 'gone' } })];
    };
    const report = await w.run(prune, confirm);
    expect([report.rows, account.writes]).toEqual([[], []]);
  });

  test('when the CRD begins to be deleted between the list and the write', async () => {
    const account = new Account({ [ARN]: withOrphan });
    const w = stores(account);
    account.beforeDecision = () => {
      w.seen.crdDeleting = true;
    };
    const report = await w.run(prune, confirm);
    expect([report.rows.map(({ result }) => result), report.exitCode, account.writes]).toEqual([['failed'], 2, []]);
  });

  test.each(FAULT_KINDS)(
    'when the API server refuses the last look (%s), which is told in its words and not in those of IAM',
    async (kind) => {
      const account = new Account({ [ARN]: withOrphan });
      const w = stores(account);
      let looks = 0;
      const bindings = async () => {
        if (looks++ === 0) return [...w.seen.bindings];
        throw new Fault(kind, 'the API server answered 403 to GET irsabindings');
      };
      const report = await w.run(prune, confirm, { cluster: () => ({ ...w.ports.cluster(), bindings }) });
      const message = 'the API server answered 403 to GET irsabindings';
      expect([report.rows, report.exitCode, account.writes]).toEqual([[{ result: 'failed', role: ARN, message }], 2, []]);
    },
  );

  test('of what became an orphan only after the list', async () => {
    const account = new Account({ [ARN]: withOrphan });
    const w = stores(account);
    account.beforeDecision = () => {
      w.seen.bindings = [];
    };
    const report = await w.run(prune, confirm);
    expect([report.rows, account.writes]).toEqual([[rowOf('removed')], [[ARN, policy(SERVICE, own([SUBJECT]))]]]);
  });

  test('from another role of the same name', async () => {
    const account = new Account({ [ARN]: { policy: withOrphan, foundAs: 'arn:aws:iam::111122223333:role/app' } });
    expect([(await stores(account).run(prune, confirm)).rows, account.writes]).toEqual([[], []]);
  });
});

describe('the issuer', () => {
  const other = 'https://oidc.eks.eu-west-1.amazonaws.com/id/OTHER';
  const asked = async (issuer: string | Fault, said?: string) => {
    const account = new Account({ [ARN]: withOrphan });
    return stores(account, { issuer }).run(prune, said === undefined ? {} : { 'oidc-issuer': said });
  };

  test('is what the API server says', async () => expect((await asked(ISSUER)).about['issuer']).toBe(ISSUER));
  test('may be said where the API server does not tell', async () =>
    expect((await asked(new Fault('denied', 'no'), ISSUER)).about['issuer']).toBe(ISSUER));
  test('of another cluster is refused: no binding of this one names its subjects', async () =>
    await expect(asked(other, ISSUER)).rejects.toThrow(
      `--oidc-issuer says "${ISSUER}", and the API server of the kubeconfig issues tokens as "${other}": is this the cluster that you mean?`,
    ));
  test('is not taken from the flag when the API server merely does not answer', async () =>
    await expect(asked(new Fault('transient', 'no answer'), ISSUER)).rejects.toThrow('no answer'));
  test('that is none is refused', async () =>
    await expect(asked(ISSUER, 'http://x')).rejects.toThrow('--oidc-issuer: AWS cannot use the issuer "http://x"'));
});

describe('what goes wrong on the way', () => {
  const roles = { [ARN]: withOrphan, [OTHER_ARN]: policy(SERVICE, own([GONE])) };

  test('for one role is told, and does not stop the others', async () => {
    const account = new Account(roles);
    account.faults.set(`write ${ARN}`, new Fault('denied', 'AccessDenied: no'));
    const report = await stores(account).run(prune, confirm);
    expect(report.rows).toEqual([{ result: 'failed', role: ARN, message: 'AccessDenied: no' }, rowOf('removed', OTHER_ARN)]);
    expect(report.exitCode).toBe(2);
  });

  test('by somebody who writes the role at the same time is seen when it is read back', async () => {
    const account = new Account({ [ARN]: withOrphan });
    account.afterWrite = () => account.roles.set(ARN, { policy: withOrphan });
    const report = await stores(account).run(prune, confirm);
    expect(report.rows).toEqual([
      {
        ...rowOf('overwritten'),
        message: 'another writer wrote the role at the same time, and this was overwritten. Run the command again',
      },
    ]);
    expect(report.exitCode).toBe(1);
  });

  test('by another writer who changes the statement so that it still lets the subject in is seen when it is read back', async () => {
    const account = new Account({ [ARN]: withOrphan });
    account.afterWrite = () => account.roles.set(ARN, { policy: policy(SERVICE, { ...own([GONE]), Action: 'sts:*' }) });
    expect((await stores(account).run(prune, confirm)).rows.map(({ result }) => result)).toEqual(['overwritten']);
  });

  test('where the role is being written, by whoever, waits until two reads agree, and drops nothing', async () => {
    const account = new Account({ [ARN]: withOrphan });
    const theirs = { ...SERVICE, Sid: 'New' };
    let rateLimiter = 0;
    account.beforeDecision = () => {
      rateLimiter += 1;
      if (rateLimiter === 1) account.roles.set(ARN, { policy: policy(theirs, own([SUBJECT, GONE])) });
    };
    expect((await stores(account).run(prune, confirm)).rows).toEqual([rowOf('removed')]);
    expect([rateLimiter, account.writes]).toEqual([2, [[ARN, policy(theirs, own([SUBJECT]))]]]);
  });

  test('where the role changes again and again is told, and nothing is written', async () => {
    const account = new Account({ [ARN]: withOrphan });
    let rateLimiter = 0;
    account.beforeDecision = () => {
      rateLimiter += 1;
      account.roles.set(ARN, { policy: policy({ ...SERVICE, Sid: `New${rateLimiter}` }, own([GONE])) });
    };
    const report = await stores(account).run(prune, confirm);
    const message = `another writer keeps writing the trust policy of "${ARN}". Run the command again later`;
    expect([report.rows, account.writes, rateLimiter]).toEqual([[{ result: 'failed', role: ARN, message }], [], 8]);
  });

  test('a stop while it waits for that ends the wait, and nothing is written', async () => {
    const account = new Account({ [ARN]: withOrphan });
    const w = stores(account);
    account.beforeDecision = () => {
      account.roles.set(ARN, { policy: policy(own([GONE])) });
      w.stop.abort();
    };
    const report = await w.run(prune, confirm);
    expect([report.rows, account.writes]).toEqual([
      [{ result: 'failed', role: ARN, message: 'it was not written: the command was stopped before' }],
      [],
    ]);
  });

  test('while others come and go in the statement of irsa-operator is told to nobody', async () => {
    const account = new Account({ [ARN]: withOrphan });
    account.afterWrite = () => account.roles.set(ARN, { policy: policy(SERVICE, own(['system:serviceaccount:shop:new'])) });
    expect((await stores(account).run(prune, confirm)).rows).toEqual([rowOf('removed')]);
  });

  test('a stop lets the role at hand be written, begins no other, and tells what was left', async () => {
    const account = new Account(roles);
    const w = stores(account);
    account.afterWrite = () => w.stop.abort();
    const report = await w.run(prune, confirm);
    expect(report.rows).toEqual([
      rowOf('removed'),
      { result: 'failed', role: ARN, message: 'it was written and not read back: the command was stopped before' },
      { result: 'failed', role: OTHER_ARN, message: 'it was not read: the command was stopped before' },
    ]);
    expect([account.writes.length, report.exitCode]).toEqual([1, 2]);
  });
});

test('what is given up while it is under way may have been written: that is told', async () => {
  const account = new Account({ [ARN]: withOrphan });
  const w = stores(account);
  account.afterWrite = () => {
    w.stop.abort();
    w.abort.abort();
    throw w.abort.signal.reason;
  };
  const report = await w.run(prune, confirm);
  const message = 'it may or may not be written: the command was stopped. Run it again';
  expect([report.rows, report.exitCode]).toEqual([[{ result: 'failed', role: ARN, message }], 2]);
});

test('whoever runs it under no role may touch every other', async () => {
  const account = new Account({ [ARN]: withOrphan });
  const user = { ...caller, ownRoles: [] };
  const report = await stores(account).run(prune, {}, { caller: async () => user as typeof caller });
  expect(report.rows).toEqual([rowOf('orphaned')]);
});
