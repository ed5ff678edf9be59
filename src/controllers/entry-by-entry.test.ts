import { afterEach, describe, expect, test } from 'vitest';
import type { IrsaBinding } from '../api/binding.ts';
import { Fault } from '../api/fault.ts';
import type { IrsaGrant } from '../api/grant.ts';
import { ANNOTATIONS } from '../api/names.ts';
import { problem } from '../api/problem.ts';
import { ARN, arn, binding, entry, grant, NOW, OTHER_ARN, own, policy, SERVICE, SUBJECT } from '../domain/test-observed.ts';
import { ManualClock } from '../runtime/manual-clock.ts';
import { MINUTE_MS, operatorOver, REVOKED_MS, SECOND_MS, type World, worldOf } from './test-grant-loss.ts';

/** What a tenant may do to keep trust whose grant went, with the real controllers in virtual time. Nothing of it may help. */
const HOUR_MS = 60 * MINUTE_MS;
const OTHER = arn('arn:aws:iam::111122223333:role/elsewhere/app');
/** One grant that nobody here needs: that there is one at all is known. */
const beside: IrsaGrant = { ...grant({ roleArns: [OTHER_ARN], serviceAccountNames: ['nobody'] }), name: 'beside', uid: 'grant-beside' };
const NOBODY = { app: [] };
const STANDS = { app: [SUBJECT] };

let running: Awaited<ReturnType<typeof operatorOver>> | undefined;
afterEach(async () => {
  await running?.stop();
  running = undefined;
});

/** A binding of the role, granted and trusted. */
function standing(part: Parameters<typeof binding>[0] = {}, grants: readonly IrsaGrant[] = [grant(), beside]): World {
  const iam = new Map([[ARN, policy(SERVICE, own())]]);
  return worldOf({ clock: new ManualClock(NOW), iam, bindings: [binding(part)], grants, namespaces: ['shop'] });
}

async function start(world: World, settings: Parameters<typeof operatorOver>[1] = {}) {
  running = await operatorOver(world, settings);
  return running;
}

/** The process dies, and another one starts over what is there. */
async function restart(world: World, settings: Parameters<typeof operatorOver>[1] = {}) {
  await running?.stop();
  return start(world, settings);
}

type Operator = Awaited<ReturnType<typeof operatorOver>>;
const edit = (of: Operator, spec: object, metadata: object = {}) =>
  of.edit('shop', 'app', ({ metadata: before, spec: stood }) => ({
    metadata: { ...before, generation: before.generation + 1, ...metadata },
    spec: { ...(stood as object), ...spec } as IrsaBinding['spec'],
  }));
const deleteWith = (of: Operator, spec: object, metadata: object = {}) => edit(of, spec, { deleting: true, ...metadata });
const withoutFinalizer = { finalizers: [] };

const attacks: Record<string, (of: Operator) => void> = {
  'nothing at all': () => {},
  'another role, which no grant covers': (of) => edit(of, { roleArn: OTHER }),
  'another audience': (of) => edit(of, { audience: 'sigstore' }),
  'the finalizer away': (of) => edit(of, {}, withoutFinalizer),
  'the finalizer away, and the binding deleted': (of) => of.seen.bindings.delete('shop/app'),
  'suspend: true': (of) => edit(of, { suspend: true }),
  'mode: Observe': (of) => edit(of, { mode: 'Observe' }),
  'trustPolicy: External': (of) => edit(of, { trustPolicy: 'External' }),
  'another role and suspend at once': (of) => edit(of, { roleArn: OTHER, suspend: true }),
  'a spec that cannot be read': (of) => of.edit('shop', 'app', () => ({ spec: problem('spec.roleArn: it is longer than 512 characters') })),
  'a deletion with Retain': (of) => deleteWith(of, { deletionPolicy: 'Retain' }),
  'a deletion while suspended': (of) => deleteWith(of, { suspend: true }),
  'a deletion in mode Observe': (of) => deleteWith(of, { mode: 'Observe' }),
  'a deletion by force': (of) => deleteWith(of, {}, { annotations: { [ANNOTATIONS.forceDelete]: 'true' } }),
  'a second binding of the ServiceAccount that stands in for a while': (of) => {
    of.seen.bindings.put(binding({ metadata: { name: 'second', uid: 'second' }, spec: { suspend: true }, status: { roles: [entry()] } }));
    of.seen.bindings.delete('shop/app');
  },
  'a status that forgot everything': (of) => of.edit('shop', 'app', () => ({ status: { conditions: [] } })),
};

// Contract: rule-entry-by-entry
describe('a tenant whose grant went loses its trust in a minute, whatever it writes', () => {
  for (const [sentence, attack] of Object.entries(attacks)) {
    test(`before the loss: ${sentence}`, async () => {
      const world = standing();
      const of = await start(world);
      attack(of);
      await world.clock.advance(5 * SECOND_MS);
      expect(of.standing()).toEqual(STANDS);
      of.seen.grants.delete('platform');
      await world.clock.advance(50 * SECOND_MS);
      expect(of.standing()).toEqual(STANDS);
      await world.clock.advance(40 * SECOND_MS);
      expect(of.standing()).toEqual(NOBODY);
    });
    test(`after the loss: ${sentence}`, async () => {
      const world = standing();
      const of = await start(world);
      of.seen.grants.delete('platform');
      await world.clock.advance(30 * SECOND_MS);
      attack(of);
      await world.clock.advance(20 * SECOND_MS);
      expect(of.standing()).toEqual(STANDS);
      await world.clock.advance(40 * SECOND_MS);
      expect(of.standing()).toEqual(NOBODY);
    });
  }

  test('the finalizer away every second', async () => {
    const world = standing();
    const of = await start(world);
    of.seen.grants.delete('platform');
    for (let second = 0; second < 90; second++) {
      edit(of, {}, withoutFinalizer);
      await world.clock.advance(SECOND_MS);
    }
    expect(of.standing()).toEqual(NOBODY);
  });

  test('a role that it is leaving, for one that never works', async () => {
    const world = standing({}, [grant({ roleArns: [ARN] }), { ...grant({ roleArns: [OTHER] }), name: 'other', uid: 'grant-other' }]);
    const of = await start(world);
    edit(of, { roleArn: OTHER });
    await world.clock.advance(10 * SECOND_MS);
    of.seen.grants.delete('platform');
    await world.clock.advance(90 * SECOND_MS);
    expect(of.standing()).toEqual(NOBODY);
  });
});

describe('a binding that is deleted without a grant', () => {
  test('says until when it stays, and goes when its subject is out, though it says Retain', async () => {
    const world = standing();
    const of = await start(world);
    of.seen.grants.delete('platform');
    await world.clock.advance(SECOND_MS);
    deleteWith(of, { deletionPolicy: 'Retain' });
    await world.clock.advance(SECOND_MS);
    expect(of.messageOf('shop', 'app', 'Trusted')).toMatch(
      /^no IrsaGrant covers what this binding has of role ".*", so nothing of it can be retained\. Its trust is revoked at 20\S+Z, and then the binding is deleted$/,
    );
    await world.clock.advance(90 * SECOND_MS);
    expect([of.bindingOf('shop', 'app'), of.standing()]).toEqual([undefined, NOBODY]);
  });
  test('with a grant leaves its trust, which goes when the grant does', async () => {
    const world = standing();
    const of = await start(world);
    deleteWith(of, { deletionPolicy: 'Retain' });
    await world.clock.advance(HOUR_MS);
    expect([of.bindingOf('shop', 'app'), of.standing()]).toEqual([undefined, STANDS]);
    of.seen.grants.delete('platform');
    await world.clock.advance(90 * SECOND_MS);
    expect(of.standing()).toEqual(NOBODY);
  });
});

// Contract: rule-revocation-record
describe('a restart of the operator', () => {
  test('between the loss and its time neither forgets nor renews it', async () => {
    const world = standing();
    const of = await start(world);
    of.seen.grants.delete('platform');
    await world.clock.advance(30 * SECOND_MS);
    expect(world.record.text).toContain('"cause":"grant"');
    const next = await restart(world);
    await world.clock.advance(25 * SECOND_MS);
    expect(next.standing()).toEqual(NOBODY);
  });
  test('finds what went while it was away: the time counts from then', async () => {
    const world = standing();
    await (await start(world)).stop();
    running = undefined;
    world.grants = [beside];
    const next = await restart(world);
    await world.clock.advance(30 * SECOND_MS);
    expect(next.standing()).toEqual(STANDS);
    await world.clock.advance(REVOKED_MS);
    expect(next.standing()).toEqual(NOBODY);
  });
  test('whose record cannot be read revokes nothing until it can', async () => {
    const world = standing();
    const { read } = world.record;
    world.record.read = async () => {
      throw new Fault('denied', 'configmaps is forbidden');
    };
    const of = await start(world);
    of.seen.grants.delete('platform');
    await world.clock.advance(HOUR_MS);
    expect(of.standing()).toEqual(STANDS);
    world.record.read = read;
    await world.clock.advance(10 * MINUTE_MS);
    expect(of.standing()).toEqual(NOBODY);
  });
});

// Contract: rule-ungranted
describe('a subject that nobody saw covered', () => {
  /** Deleted with `Retain` before the operator of today; its grant is away since. */
  const orphaned = () => ({ ...standing(), bindings: [], grants: [beside] });
  test('is reported at once, and stays for a day', async () => {
    const world = orphaned();
    const of = await start(world);
    expect(of.told.map(({ reason }) => reason)).toEqual(['TrustUngranted']);
    expect(of.told[0]?.note).toContain(
      `no IrsaGrant of this cluster covers "${SUBJECT}" with audience "sts.amazonaws.com" in the trust policy of "${ARN}", where the statement of irsa-operator allows it. It is revoked at 2026-01-02T12:00`,
    );
    await world.clock.advance(23 * HOUR_MS);
    expect(of.standing()).toEqual(STANDS);
    await world.clock.advance(HOUR_MS + 2 * MINUTE_MS);
    expect(of.standing()).toEqual(NOBODY);
    expect(of.told.map(({ reason }) => reason)).toEqual(['TrustUngranted', 'TrustPolicyWritten']);
  });
  test('is told once, also across a restart, from which its time does not begin anew', async () => {
    const world = orphaned();
    await start(world);
    await world.clock.advance(20 * HOUR_MS);
    const next = await restart(world);
    await world.clock.advance(4 * HOUR_MS + 2 * MINUTE_MS);
    expect([next.told.map(({ reason }) => reason), next.standing()]).toEqual([['TrustPolicyWritten'], NOBODY]);
  });
  test('stays for ever with --ungranted-grace never, and is reported', async () => {
    const world = orphaned();
    const of = await start(world, { ungrantedGraceMs: Number.POSITIVE_INFINITY });
    await world.clock.advance(100 * HOUR_MS);
    expect([of.told.map(({ reason }) => reason), of.standing()]).toEqual([['TrustUngranted'], STANDS]);
  });
  test('stays when a grant covers it in time', async () => {
    const world = orphaned();
    const of = await start(world);
    await world.clock.advance(HOUR_MS);
    of.seen.grants.put(grant());
    await world.clock.advance(48 * HOUR_MS);
    expect([of.standing(), of.seen.losses.list()]).toEqual([STANDS, []]);
  });
});

// Contract: rule-loss-evidence
describe('no evidence that a grant went', () => {
  const refused: Record<string, () => readonly IrsaGrant[]> = {
    'is a list that is refused': () => {
      throw new Fault('denied', 'irsagrants is forbidden');
    },
    'is a list that is throttled': () => {
      throw new Fault('throttled', 'too many requests');
    },
    'is a list that is not there': () => {
      throw new Fault('notFound', 'the server could not find the requested resource');
    },
    'is a grant that cannot be read': () => [{ ...grant(), spec: problem('spec.roleArns: it is empty') }, beside],
    'is a grant that reads otherwise without having changed': () => [grant({ roleArns: [OTHER_ARN] }), beside],
    'is a list that shows it': () => [grant(), beside],
  };
  for (const [sentence, list] of Object.entries(refused))
    test(sentence, async () => {
      const world = standing();
      const of = await start(world);
      world.listOfGrants = list;
      of.seen.grants.delete('platform');
      await world.clock.advance(3 * HOUR_MS);
      expect(of.standing()).toEqual(STANDS);
      world.listOfGrants = undefined;
      await world.clock.advance(10 * MINUTE_MS);
      expect(of.standing()).toEqual(NOBODY);
    });

  test('is a CRD that is being deleted, nor one that was made again: then it is as if nobody had seen the grant', async () => {
    const world = standing();
    const of = await start(world);
    world.definition = undefined;
    of.seen.grantDefinitions.put({ name: 'grants', uid: 'definition', createdAt: 0, deleting: true });
    of.seen.grants.delete('platform');
    of.seen.grants.delete('beside');
    await world.clock.advance(3 * HOUR_MS);
    expect(of.standing()).toEqual(STANDS);
    world.definition = 'made-again';
    of.seen.grantDefinitions.put({ name: 'grants', uid: 'made-again', createdAt: world.clock.now(), deleting: false });
    of.seen.grants.put(beside);
    await world.clock.advance(3 * HOUR_MS);
    expect(of.standing()).toEqual(STANDS);
    of.seen.grants.put(grant());
    await world.clock.advance(48 * HOUR_MS);
    expect(of.standing()).toEqual(STANDS);
  });
  test('is a grant that was narrowed and cannot be read: it counts once it parses', async () => {
    const world = standing();
    const of = await start(world);
    of.seen.grants.put({ ...grant(), generation: 2, spec: problem('spec.roleArns: it is empty') });
    await world.clock.advance(3 * HOUR_MS);
    expect(of.standing()).toEqual(STANDS);
    of.seen.grants.put({ ...grant({ roleArns: [OTHER_ARN] }), generation: 3 });
    await world.clock.advance(10 * MINUTE_MS);
    expect(of.standing()).toEqual(NOBODY);
  });
});

// Contract: rule-no-grant-seen
describe('an operator that has seen no grant since its start', () => {
  const bare = () => standing({}, []);
  test('revokes nothing, and says why', async () => {
    const world = bare();
    const of = await start(world);
    await world.clock.advance(3 * HOUR_MS);
    expect(of.standing()).toEqual(STANDS);
    expect(of.bindingOf('shop', 'app')?.status.findings?.map(({ code, message }) => [code, message?.slice(0, 55)])).toContainEqual([
      'RevocationPaused',
      'irsa-operator has seen no IrsaGrant since it started, s',
    ]);
  });
  test('goes on when it has seen one', async () => {
    const world = bare();
    const of = await start(world);
    await world.clock.advance(HOUR_MS);
    of.seen.grants.put(beside);
    await world.clock.advance(2 * MINUTE_MS);
    expect(of.standing()).toEqual(NOBODY);
  });
  test('goes on when it is confirmed on the Namespace of the operator', async () => {
    const world = bare();
    const of = await start(world);
    await world.clock.advance(HOUR_MS);
    of.seen.namespaces.put({ name: 'irsa-operator-system', labels: {}, revocationConfirmedAt: world.clock.now() });
    await world.clock.advance(2 * MINUTE_MS);
    expect(of.standing()).toEqual(NOBODY);
  });
});

test('a grant that comes back within the minute costs nothing', async () => {
  const world = standing();
  const of = await start(world);
  of.seen.grants.delete('platform');
  await world.clock.advance(50 * SECOND_MS);
  of.seen.grants.put({ ...grant(), name: 'renamed', uid: 'grant-renamed' });
  await world.clock.advance(HOUR_MS);
  expect([of.standing(), of.seen.losses.list()]).toEqual([STANDS, []]);
});
