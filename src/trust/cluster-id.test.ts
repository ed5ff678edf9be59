import { describe, expect, test } from 'vitest';
import { ALB, AUDIENCE, allow, desired, ISSUER, PROVIDER, policy, ROLE, read } from '../../test/trust/cluster.ts';
import { type Subject, subjectOf } from '../api/subject.ts';
import { isOfSibling, NOBODY, sidFor, writeOwn } from './document/own-statement.ts';
import { ownSubjects } from './own-subjects.ts';
import { type DesiredStatement, planTrust, type WantedSubject } from './plan.ts';

/** Two clusters, blue and green, whose API servers have one issuer and one set of keys, so that a token of the one is a token of the other. */
const APP = subjectOf('shop', 'app');
const GREEN_ONLY = subjectOf('shop', 'green-only');
const SERVICE = { Effect: 'Allow', Principal: { Service: 'ec2.amazonaws.com' }, Action: 'sts:AssumeRole' };
const cluster = (clusterId?: string) => ({ issuer: ISSUER, provider: PROVIDER, ...(clusterId && { clusterId }) });
const of = (clusterId: string | undefined, ...subjects: string[]) => JSON.parse(writeOwn(cluster(clusterId), AUDIENCE, subjects));
const who = (subject: Subject, own = true): WantedSubject => ({ subject, audience: AUDIENCE, own });

/** What a cluster sends; undefined: nothing. */
function sent(statements: object[], part: Partial<DesiredStatement>): unknown[] | undefined {
  const { document } = planTrust(read(policy(...statements)), desired({ wanted: [], ...part }));
  return document === undefined ? undefined : JSON.parse(document).Statement;
}

// Contract: fleet-cluster-id
describe('a cluster ID', () => {
  test('makes another Sid of it, the same each time', () => {
    const sids = [undefined, 'blue', 'green'].map((id) => sidFor(ISSUER, AUDIENCE, id));
    expect(new Set(sids).size).toBe(3);
    expect(sids[0]).toBe(sidFor(ISSUER, AUDIENCE, ''));
    for (const sid of sids) expect(sid).toMatch(/^Irsa[a-z2-7]{12}$/);
  });

  test('keeps the subjects of another cluster from being ours', () => {
    const document = read(policy(of('blue', APP), of('green', GREEN_ONLY), of(undefined, ALB)));
    const subjects = (id?: string) => ownSubjects(document, cluster(id)).map(({ subject }) => subject);
    expect([subjects('blue'), subjects('green'), subjects()]).toEqual([[APP], [GREEN_ONLY], [ALB]]);
  });

  const blue = { clusterId: 'blue' };
  const cases: Record<string, [statements: object[], part: Partial<DesiredStatement>, sent: object[] | undefined]> = {
    'writes its own statement beside that of another cluster which lets the subject in': [
      [SERVICE, of('green', APP)],
      { ...blue, wanted: [who(APP)] },
      [SERVICE, of('green', APP), of('blue', APP)],
    ],
    'writes its own beside one from the time before the others had IDs': [
      [of(undefined, APP)],
      { ...blue, wanted: [who(APP)] },
      [of(undefined, APP), of('blue', APP)],
    ],
    'writes none where somebody else lets the subject in': [
      [allow({ StringEquals: { [`${PROVIDER.split('oidc-provider/')[1]}:sub`]: ALB } })],
      { ...blue, wanted: [who(ALB)] },
      undefined,
    ],
    'writes none for a binding that only looks': [[of('green', APP)], { ...blue, wanted: [who(APP, false)] }, undefined],
    'takes a subject out of its own statement alone': [
      [of('green', APP), of('blue', APP, ALB)],
      { ...blue, released: [who(APP)] },
      [of('green', APP), of('blue', ALB)],
    ],
    'goes with its last subject': [[of('green', APP), of('blue', APP)], { ...blue, released: [who(APP)] }, [of('green', APP)]],
    'leaves what only another cluster has': [[of('green', APP)], { ...blue, released: [who(APP)] }, undefined],
  };
  for (const [sentence, [statements, part, wanted]] of Object.entries(cases))
    test(sentence, () => expect(sent(statements, part)).toEqual(wanted));

  test('leaves the statement of the other cluster as foreign as any: without an ID of our own it is one too', () => {
    const [green, ours, copied] = read(policy(of('green', APP), of(undefined, APP), { ...of('green', APP), Action: 'sts:*' })).statements;
    expect([green, ours, copied].map((one) => one && isOfSibling(one, cluster()))).toEqual([true, false, false]);
  });
});

// Contract: fleet-previous-cluster-id
describe('a cluster that had another ID before', () => {
  const moving = { clusterId: 'blue', previousClusterId: '' };
  const cases: Record<string, [statements: object[], part: Partial<DesiredStatement>, sent: object[] | undefined]> = {
    'moves what its bindings want, in one write, and leaves the rest to whose it is': [
      [SERVICE, of(undefined, APP, GREEN_ONLY)],
      { ...moving, wanted: [who(APP)] },
      [SERVICE, of(undefined, GREEN_ONLY), of('blue', APP)],
    ],
    'leaves no empty statement behind': [[SERVICE, of(undefined, APP)], { ...moving, wanted: [who(APP)] }, [SERVICE, of('blue', APP)]],
    'leaves none where it was the only one': [[of(undefined, APP)], { ...moving, wanted: [who(APP)] }, [of('blue', APP)]],
    'moves from one name to another': [
      [SERVICE, of('azure', APP)],
      { clusterId: 'blue', previousClusterId: 'azure', wanted: [who(APP)] },
      [SERVICE, of('blue', APP)],
    ],
    'moves back to no name': [
      [SERVICE, of('azure', APP)],
      { previousClusterId: 'azure', wanted: [who(APP)] },
      [SERVICE, of(undefined, APP)],
    ],
    'releases from the statement that it had before': [
      [SERVICE, of(undefined, APP, GREEN_ONLY)],
      { ...moving, released: [who(APP)] },
      [SERVICE, of(undefined, GREEN_ONLY)],
    ],
    'moves nothing for a binding that only looks': [[of(undefined, APP)], { ...moving, wanted: [who(APP, false)] }, undefined],
    'moves nothing where two statements have no room': [
      [SERVICE, of(undefined, APP, GREEN_ONLY)],
      { ...moving, wanted: [who(APP)], quota: policy(SERVICE, of(undefined, APP, GREEN_ONLY)).length },
      undefined,
    ],
    'releases also where nothing can be moved': [
      [SERVICE, of(undefined, APP, ALB, GREEN_ONLY)],
      { ...moving, wanted: [who(APP)], released: [who(ALB)], quota: policy(SERVICE, of(undefined, APP, ALB, GREEN_ONLY)).length },
      [SERVICE, of(undefined, APP, GREEN_ONLY)],
    ],
    'writes nothing more when all is moved': [[SERVICE, of('blue', APP)], { ...moving, wanted: [who(APP)] }, undefined],
  };
  for (const [sentence, [statements, part, wanted]] of Object.entries(cases))
    test(sentence, () => expect(sent(statements, part)).toEqual(wanted));

  test('counts what stands under the ID before as its own', () => {
    const document = read(policy(of(undefined, APP), of('blue', ALB), of('green', GREEN_ONLY)));
    expect(ownSubjects(document, { ...cluster('blue'), previousClusterId: '' }).map(({ subject }) => subject)).toEqual([ALB, APP]);
  });

  test('says that what could not be moved is allowed', () => {
    const text = policy(SERVICE, of(undefined, APP, GREEN_ONLY));
    const plan = planTrust(read(text), desired({ ...moving, wanted: [who(APP)], quota: text.length, role: ROLE }));
    expect(plan.verdicts.map(({ state }) => state)).toEqual(['allowed']);
  });
});

// Contract: fleet-previous-cluster-id
test('blue and green move to IDs of their own, whatever the order, and nobody is out for a moment', () => {
  const green = { clusterId: 'green', previousClusterId: '', wanted: [who(APP), who(GREEN_ONLY)] };
  const blue = { clusterId: 'blue', previousClusterId: '', wanted: [who(APP)] };
  for (const order of [
    [blue, green],
    [green, blue],
  ]) {
    let statements: object[] = [SERVICE, of(undefined, APP, GREEN_ONLY)];
    for (const part of [...order, ...order]) {
      statements = (sent(statements, part) as object[] | undefined) ?? statements;
      const allowed = new Set(statements.flatMap((one) => JSON.stringify(one).match(/system:serviceaccount:[^"]+/g) ?? []));
      expect([...allowed].filter((subject) => subject !== NOBODY).toSorted()).toEqual([APP, GREEN_ONLY]);
    }
    expect(statements).toEqual(expect.arrayContaining([SERVICE, of('blue', APP), of('green', APP, GREEN_ONLY)]));
    expect(statements).toHaveLength(3);
  }
});
