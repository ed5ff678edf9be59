import { until } from '@irsa-operator/testbed';
import { describe, expect, test } from 'vitest';
import { pathOf } from '../harness/objects.ts';
import type { Scene } from '../harness/scene.ts';
import { integrationSuite } from '../harness/suite.ts';
import { ACCOUNT, type Binding, conditionOf, ROLE_ARN } from '../harness/views.ts';

/** Grants that come, go, are moved and are lost by mistake, on the real control plane; the losses of grants run their real time. */
const PATIENCE = { timeoutMs: 120_000 };
/** From the loss of a grant to that of the trust, by the contract. */
const LOSS_MS = 60_000;

const suite = integrationSuite({ clientIds: ['sts.amazonaws.com', 'https://kubernetes.default.svc'] });
const { prepared, secondLook } = suite;

const released = (s: Scene) => until(`the subject of ${s.namespace} is released`, () => !s.stands(), PATIENCE);

describe.concurrent('a grant', () => {
  // Contract: rule-grant-lost-60s
  test('that is deleted costs the binding its trust after 60 s, and nothing else; one that comes back gives it back', async () => {
    const s = await prepared('lost');
    await s.grant();
    await s.bind();
    await s.conditionIs('Ready', 'True');
    await s.loseGrant();
    const lostAt = Date.now();
    const { message } = await until(
      'the message tells when the trust goes',
      async () => {
        const condition = await s.conditionIs('Authorized', 'False', 'NotGranted');
        return condition.message.includes('Its trust is revoked at 20') && condition;
      },
      PATIENCE,
    );
    expect(message).toMatch(
      /^no IrsaGrant allows ServiceAccount "app" .*\. Its trust is revoked at 20\S+Z unless a grant covers it by then$/,
    );
    await released(s);
    // The time is told in whole seconds, so it may be one less.
    expect(Date.now() - lostAt).toBeGreaterThan(58_000);
    expect(s.statements()).toHaveLength(1);
    await until('the entry goes with it', async () => (await s.binding()).status?.roles === undefined, PATIENCE);
    expect(await s.annotations()).toEqual({ [ROLE_ARN]: s.roleArn });
    await s.grant();
    await s.conditionIs('Ready', 'True');
    expect(s.stands()).toBe(true);
  });

  // Contract: rule-grant-lost-60s
  test('that is renamed, which is a deletion and a creation, costs nobody anything', async () => {
    const s = await prepared('renamed');
    await s.grant();
    await s.bind();
    await s.conditionIs('Ready', 'True');
    await s.loseGrant();
    await s.conditionIs('Authorized', 'False', 'NotGranted');
    const lostAt = Date.now();
    await s.grant({}, 'renamed-again');
    await s.conditionIs('Ready', 'True');
    await secondLook(lostAt + LOSS_MS);
    expect([s.stands(), s.writes().length]).toEqual([true, 1]);
  });

  // Contract: api-tag-same-text, api-tags-fresh
  test('that asks for a tag of the role lets nobody in before the owner of the role has set it, in the words of no grant at all', async () => {
    const s = await prepared('tagged');
    await s.grant({ requiredRoleTags: { owner: 'shop' } });
    await s.bind();
    const { message } = await s.conditionIs('Authorized', 'False', 'NotGranted');
    expect(message).toBe(
      `no IrsaGrant allows ServiceAccount "app" of namespace "tagged" to have role "${s.roleArn}" with audience "sts.amazonaws.com". Ask a platform engineer for a grant that covers all four`,
    );
    expect([(await s.binding()).status?.trustPolicy, s.writes()]).toEqual([undefined, []]);
    s.setTags({ owner: 'shop' });
    await s.conditionIs('Ready', 'True');
  });

  // Contract: grant-limit-bindings, grant-limit-keeps
  test('with a limit authorizes the older bindings of a namespace, keeps what stands when it is lowered, and has room again later', async () => {
    const s = await prepared('limited');
    await s.grant({ limits: { bindingsPerNamespace: 2 } });
    await s.bind();
    for (const name of ['second', 'third']) {
      await s.serviceAccount({}, name);
      await s.bind({ serviceAccountName: name }, name);
    }
    const { message } = await s.conditionIs('Authorized', 'False', 'GrantLimitReached', 'third');
    expect(message).toMatch(/^IrsaGrant "limited" authorizes 2 bindings of namespace "limited", and older ones use them up\. /);
    for (const name of ['app', 'second']) await s.conditionIs('Ready', 'True', 'Ready', name);
    const stand = s.trust();
    await suite.api.call('PATCH', pathOf('irsagrants', { name: 'limited' }), {
      patch: 'merge',
      body: { spec: { limits: { bindingsPerNamespace: 1 } } },
    });
    await s.conditionIs('Authorized', 'False', 'GrantLimitReached', 'second');
    await secondLook();
    expect(s.trust()).toEqual(stand);
    await s.unbind();
    await s.conditionIs('Ready', 'True', 'Ready', 'second');
    await s.unbind('second');
    await s.conditionIs('Ready', 'True', 'Ready', 'third');
  });

  // Contract: grant-limit-subjects
  test('with a limit adds no more subjects of a namespace to a role than that', async () => {
    const s = await prepared('crowded');
    await s.grant({ limits: { subjectsPerNamespace: 1 } });
    await s.bind();
    await s.conditionIs('Ready', 'True', 'Ready');
    await s.serviceAccount({}, 'second');
    await s.bind({ serviceAccountName: 'second' }, 'second');
    await s.conditionIs('Trusted', 'False', 'GrantLimitReached', 'second');
    await s.unbind();
    await s.conditionIs('Ready', 'True', 'Ready', 'second');
  });

  // Contract: trust-recreated, api-tags-fresh
  test('that asks for a tag asks it anew of a role that was deleted and made again', async () => {
    const tags = { owner: 'shop' };
    const s = await prepared('made-again');
    s.setTags(tags);
    await s.grant({ requiredRoleTags: tags });
    await s.bind();
    await s.conditionIs('Ready', 'True');
    s.role();
    await s.conditionIs('Authorized', 'False', 'NotGranted');
    expect([s.stands(), s.writes().length]).toEqual([false, 1]);
    s.setTags(tags);
    await s.conditionIs('Ready', 'True');
    expect(s.writes()).toHaveLength(2);
  });

  // Contract: rule-grant-lost-10min
  test('that selects a namespace by a label which goes leaves the trust for ten minutes, and says until when', async () => {
    const s = await prepared('relabelled');
    await s.label({ team: 'shop' });
    await s.grant({ namespaces: { selector: { matchLabels: { team: 'shop' } } } });
    await s.bind();
    await s.conditionIs('Ready', 'True');
    const lostAt = Date.now();
    await s.label({ team: null });
    const until10 = await until(
      'the message tells when the trust goes',
      async () => / Its trust is revoked at (\S+Z) /.exec((await s.conditionIs('Authorized', 'False', 'NotGranted')).message)?.[1],
      PATIENCE,
    );
    // The time is told in whole seconds, so it may be one less.
    expect(Date.parse(until10) - lostAt).toBeGreaterThan(598_000);
    expect([s.stands(), s.writes().length]).toEqual([true, 1]);
    await s.label({ team: 'shop' });
    await s.conditionIs('Ready', 'True');
    expect([s.stands(), s.writes().length]).toEqual([true, 1]);
  });

  // Contract: api-audience-refused
  test('for an audience of the API server itself is no grant', async () => {
    const s = await prepared('api-audience');
    await s.grant({ audiences: ['https://kubernetes.default.svc'] });
    await s.bind({ audience: 'https://kubernetes.default.svc' });
    await s.conditionIs('Authorized', 'False', 'AudienceForbidden');
    expect(s.writes()).toEqual([]);
  });

  // Contract: api-no-call-ungranted
  test('is what a binding has to have before AWS is asked about its role', async () => {
    await expectNotGranted(await prepared('ungranted'));
  });

  const short: Record<string, { grant: (s: Scene) => object; spec?: { roleArn: string } }> = {
    'for another role': { grant: (s) => ({ roleArns: [`${s.roleArn}2`] }) },
    'for roles without a path, whose "*" does not cross "/"': {
      grant: () => ({ roleArns: [`arn:aws:iam::${ACCOUNT}:role/*`] }),
      spec: { roleArn: `arn:aws:iam::${ACCOUNT}:role/team/app` },
    },
    'for another namespace': { grant: () => ({ namespaces: { names: ['elsewhere'] } }) },
    'for namespaces with another label': { grant: () => ({ namespaces: { selector: { matchLabels: { team: 'elsewhere' } } } }) },
    'for another ServiceAccount': { grant: () => ({ serviceAccountNames: ['ap*e'] }) },
    'for another audience': { grant: () => ({ audiences: ['sigstore'] }) },
  };
  for (const [index, [sentence, { grant, spec }]] of Object.entries(short).entries()) {
    // Contract: api-default-deny, api-grant-patterns, api-no-call-ungranted
    test(`${sentence} is none`, async () => {
      const s = await prepared(`short-${index}`);
      await s.grant(grant(s));
      await expectNotGranted(s, spec);
    });
  }

  // Contract: api-default-deny
  test('that covers the one half does not add up with one that covers the other', async () => {
    const s = await prepared('halves');
    await s.grant({ serviceAccountNames: ['other'] });
    await s.grant({ roleArns: [`${s.roleArn}2`] }, 'halves-too');
    await expectNotGranted(s);
  });
});

/** Told in the same words whatever is missing and whatever IAM has; nothing is written, and AWS not asked about the role. */
async function expectNotGranted(s: Scene, spec: { roleArn?: string } = {}): Promise<void> {
  const { roleArn = s.roleArn } = spec;
  await s.bind({ roleArn });
  const { message } = await s.conditionIs('Authorized', 'False', 'NotGranted');
  expect(message).toBe(
    `no IrsaGrant allows ServiceAccount "app" of namespace "${s.namespace}" to have role "${roleArn}" with audience "sts.amazonaws.com". Ask a platform engineer for a grant that covers all four`,
  );
  await s.conditionIs('Stalled', 'True', 'NotGranted');
  expect([await s.annotations(), (await s.binding()).metadata.finalizers]).toEqual([undefined, undefined]);
  const name = roleArn.slice(roleArn.lastIndexOf('/') + 1);
  expect(suite.testbed.aws.journal.filter(({ params }) => params['RoleName'] === name)).toEqual([]);
}

/** What a tenant may do to keep its trust when the grant goes. Six losses in six namespaces are no reason to pause. */
describe('a grant', () => {
  const attacks: Record<string, (s: Scene) => Promise<void>> = {
    suspended: (s) => s.change({ suspend: true }),
    observing: (s) => s.change({ mode: 'Observe' }),
    elsewhere: (s) => s.change({ roleArn: `${s.roleArn}2` }),
    'without-finalizer': async (s) => {
      await s.patch('irsabindings', 'app', { metadata: { finalizers: null } });
      await s.unbind();
    },
    retained: async (s) => {
      await s.change({ deletionPolicy: 'Retain' });
      await s.unbind();
    },
    forced: async (s) => {
      await s.change({ deletionPolicy: 'Retain' });
      await s.patch('irsabindings', 'app', { metadata: { annotations: { 'irsa-operator.dev/force-delete': 'true' } } });
      await s.unbind();
    },
  };
  // Contract: rule-entry-by-entry, rule-revocation-record
  test('that is deleted costs the trust whatever the namespace writes, before and after, also across a restart of the operator', async () => {
    const scenes = await Promise.all(Object.keys(attacks).map((name) => prepared(`keeps-${name}`)));
    for (const s of scenes) {
      await s.grant();
      await s.bind();
    }
    for (const s of scenes) await s.conditionIs('Ready', 'True');
    // An operator that starts and sees no grant at all revokes nothing.
    await scenes[0]?.grant({ roleArns: [`arn:aws:iam::${ACCOUNT}:role/nobody`] }, 'keeps-nobody');
    const attack = Object.values(attacks);
    for (const [at, s] of scenes.entries()) if (at % 2 === 0) await attack[at]?.(s);
    for (const s of scenes) await s.loseGrant();
    const lostAt = Date.now();
    for (const [at, s] of scenes.entries()) if (at % 2 === 1) await attack[at]?.(s);
    await secondLook(lostAt + LOSS_MS / 2);
    expect(scenes.map((s) => s.stands())).toEqual(scenes.map(() => true));
    await suite.restart();
    for (const s of scenes) await released(s);
    expect(Date.now() - lostAt).toBeGreaterThan(58_000);
  });
});

/** By themselves: losses are counted over the whole cluster, and would pause those of the others. */
describe('a grant', () => {
  // Contract: rule-revocation-paused
  test('that many bindings lose at once costs nobody anything before somebody confirms it, nor who loses it within the hour after, across a restart', async () => {
    const late = await prepared('one-more');
    await late.grant();
    await late.bind();
    // Of one namespace five count at most.
    const scenes = await Promise.all(['many-a', 'many-b', 'many-c'].map((name) => suite.scene(name)));
    const names = Array.from({ length: 4 }, (_, index) => `app-${index}`);
    for (const s of scenes) {
      for (const name of names) await s.serviceAccount({}, name);
      s.role();
      await s.grant();
      for (const name of names) await s.bind({ serviceAccountName: name }, name);
    }
    const every = async (holds: (one: Binding) => boolean) =>
      (await Promise.all(scenes.map((s) => s.list<Binding>('irsabindings')))).flat().every(holds);
    await until('all are Ready', () => every((one) => conditionOf(one, 'Ready')?.status === 'True'), PATIENCE);
    for (const s of scenes) await s.loseGrant();
    const paused = () => every(({ status }) => status?.findings?.some(({ code }) => code === 'RevocationPaused') === true);
    await until('all are told that it is paused', paused, PATIENCE);
    await secondLook(Date.now() + LOSS_MS);
    for (const s of scenes) expect(JSON.stringify(s.statements())).toContain(`system:serviceaccount:${s.namespace}:app-3`);
    // Whichever grant it is: this one covers nobody here.
    const [s] = scenes as [Scene];
    await s.grant({ roleArns: [`arn:aws:iam::${ACCOUNT}:role/nobody`] }, 'many-confirmed');
    const annotations = { 'irsa-operator.dev/revocation-confirmed': new Date().toISOString() };
    await suite.api.call('PATCH', pathOf('irsagrants', { name: 'many-confirmed' }), {
      patch: 'merge',
      body: { metadata: { annotations } },
    });
    await until('all are released', () => scenes.every((one) => one.statements().length === 1), PATIENCE);
    await until('it is remembered', () => every(({ status }) => status?.revokedAt !== undefined), PATIENCE);
    await late.conditionIs('Ready', 'True');
    await suite.restart();
    await late.loseGrant();
    const told = async () => (await late.binding()).status?.findings?.find(({ code }) => code === 'RevocationPaused');
    const { message } = await until('it is told that it is paused', told, PATIENCE);
    expect(message).toMatch(/\. It continues by itself at 20\S+Z, when no more than 10 count\. /);
    expect(late.stands()).toBe(true);
  });
});
