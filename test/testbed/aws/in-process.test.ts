import { describe, expect, test } from 'vitest';
import type { Clock } from './clock.ts';
import { ConnectionReset } from './cloud.ts';
import { type AwsInProcess, createAws } from './in-process.ts';

const never = new AbortController().signal;
const trusting = (aws: string): string =>
  JSON.stringify({ Version: '2012-10-17', Statement: [{ Effect: 'Allow', Principal: { AWS: aws }, Action: 'sts:AssumeRole' }] });
const ROOT = 'arn:aws:iam::111122223333:root';

/** A clock that stands, and notes how long it was asked to sleep. */
function standing() {
  const state = { now: Date.UTC(2026, 0, 1), slept: [] as number[] };
  const clock: Clock = {
    now: () => state.now,
    async sleep(ms) {
      state.slept.push(ms);
      state.now += ms;
    },
  };
  return { state, clock };
}

function setUp(draws: number[] = []) {
  const { state, clock } = standing();
  const aws = createAws({ clock, random: () => draws.shift() ?? expect.fail('nobody expected a draw') });
  const call = aws.as();
  const get = async (RoleName = 'lbc') => documentOf((await call('iam', 'GetRole', { RoleName }, never))?.['Role']);
  const list = async () => {
    const { Roles = [] } = (await call('iam', 'ListRoles', {}, never)) ?? {};
    return (Roles as object[]).map(documentOf);
  };
  const update = (PolicyDocument: string) => call('iam', 'UpdateAssumeRolePolicy', { RoleName: 'lbc', PolicyDocument }, never);
  aws.account().role.put({ name: 'lbc', trustPolicy: trusting(ROOT) });
  return { aws, state, draws, get, list, update, call };
}

function documentOf(role: unknown): string {
  return decodeURIComponent((role as { AssumeRolePolicyDocument: string }).AssumeRolePolicyDocument);
}

const refusal = async (call: Promise<unknown>): Promise<unknown> => {
  const error = await call.then(() => undefined).catch((thrown: unknown) => thrown);
  const { code, status, message } = error as { code: string; status: number; message: string };
  return [code, status, message];
};

test('by default nothing waits, nothing is limited, and every reader sees the last write', async () => {
  const { state, get, list, update } = setUp();
  for (let i = 0; i < 100; i++) await update(trusting('*'));
  expect([await get(), await list(), state.slept]).toEqual([trusting('*'), [trusting('*')], []]);
});

test('a call waits as long as is drawn, before anything is done', async () => {
  const { aws, state, draws, get } = setUp();
  aws.behave({ latencyMs: [100, 300] });
  draws.push(0.25);
  await get();
  expect(state.slept).toEqual([150]);
  expect(aws.journal.at(-1)?.at).toEqual(new Date(Date.UTC(2026, 0, 1) + 150));
});

describe('a limit', () => {
  const RATE_EXCEEDED = ['Throttling', 400, 'Rate exceeded'];

  test('is of one action, counts in the journal, and gives way with time', async () => {
    const { aws, state, get, update } = setUp();
    aws.behave({ limits: { 'iam:UpdateAssumeRolePolicy': { perSecond: 5, burst: 2 } } });
    await update(trusting(ROOT));
    await update(trusting(ROOT));
    expect(await refusal(update(trusting('*')))).toEqual(RATE_EXCEEDED);
    expect(await get()).toBe(trusting(ROOT));
    state.now += 200;
    await update(trusting('*'));
    expect(aws.journal.map(({ operation, code }) => `${operation} ${code}`)).toEqual([
      'UpdateAssumeRolePolicy OK',
      'UpdateAssumeRolePolicy OK',
      'UpdateAssumeRolePolicy Throttling',
      'GetRole OK',
      'UpdateAssumeRolePolicy OK',
    ]);
  });

  test('is of one account, whoever calls in it', async () => {
    const { aws } = setUp();
    aws.behave({ limits: { 'iam:ListRoles': { perSecond: 1, burst: 1 } } });
    const list = (caller: Parameters<AwsInProcess['as']>[0]) => aws.as(caller)('iam', 'ListRoles', {}, never);
    await list({});
    expect(await refusal(list({ roleName: 'terraform' }))).toEqual(RATE_EXCEEDED);
    await list({ accountId: '444455556666' });
  });
});

describe('stale reads', () => {
  test('of GetRole go back in time, while a write builds on the newest state', async () => {
    const { aws, state, draws, get, list, update } = setUp();
    aws.behave({ staleMs: { GetRole: 4_000 } });
    await update(trusting('*'));
    draws.push(0.99, 0, 0.99);
    expect([await get(), await get(), await get()]).toEqual([trusting('*'), trusting(ROOT), trusting('*')]);
    expect(await list()).toEqual([trusting('*')]); // ListRoles has a staleness of its own
    state.now += 4_000;
    expect(await get()).toBe(trusting('*'));
  });

  test('of ListRoles leave GetRole alone, and show a role that is gone', async () => {
    const { aws, draws, get, list, call } = setUp();
    aws.behave({ staleMs: { ListRoles: 4_000 } });
    await call('iam', 'DeleteRole', { RoleName: 'lbc' }, never);
    draws.push(0);
    expect(await list()).toEqual([trusting(ROOT)]);
    expect(await refusal(get())).toEqual(['NoSuchEntity', 404, 'The role with name lbc cannot be found.']);
  });

  test('hide a role that was just made', async () => {
    const { aws, draws, get, call } = setUp();
    aws.behave({ staleMs: { GetRole: 4_000 } });
    await call('iam', 'CreateRole', { RoleName: 'new', AssumeRolePolicyDocument: trusting(ROOT) }, never);
    draws.push(0, 0.99);
    expect(await refusal(get('new'))).toEqual(['NoSuchEntity', 404, 'The role with name new cannot be found.']);
    expect(await get('new')).toBe(trusting(ROOT));
  });

  test('do not concern what a set-up puts there', async () => {
    const { aws, get } = setUp();
    aws.behave({ staleMs: { GetRole: 4_000 } });
    aws.account().role.setTrustPolicy('lbc', trusting('*'));
    expect(await get()).toBe(trusting('*'));
  });

  test('of STS: replicas disagree for some seconds after a write, then they agree', async () => {
    const { aws, state, draws, update, call } = setUp();
    aws.behave({ staleMs: { STS: 4_000 } });
    aws.account().user.put('alice');
    const assume = () =>
      call('sts', 'AssumeRole', { RoleArn: 'arn:aws:iam::111122223333:role/lbc', RoleSessionName: 'session' }, never).then(
        () => 'accepted',
        (error: { code: string }) => error.code,
      );
    await update(trusting('arn:aws:iam::111122223333:user/alice'));
    draws.push(0, 0.99, 0);
    expect([await assume(), await assume(), await assume()]).toEqual(['accepted', 'AccessDenied', 'accepted']);
    state.now += 4_000;
    expect(await assume()).toBe('AccessDenied');
  });
});

test('a principal that lives is shown by its unique ID for a moment, may be written back so, and then has its name again', async () => {
  const { aws, state, get, list, update } = setUp();
  const hop = aws.account().role.put({ name: 'hop', trustPolicy: trusting(ROOT) });
  await update(trusting(hop.arn));
  aws.account().unresolvePrincipal(hop.arn, 3_000);
  expect([await get(), (await list())[1]]).toEqual([trusting(hop.id), trusting(hop.id)]);
  await update(trusting(hop.id));
  state.now += 3_000;
  expect(await get()).toBe(trusting(hop.arn));
});

test('a principal that is gone refuses the whole document', async () => {
  const { aws, get, update } = setUp();
  const hop = aws.account().role.put({ name: 'hop', trustPolicy: trusting(ROOT) });
  await update(trusting(hop.arn));
  aws.account().deletePrincipal(hop.arn);
  const { Statement } = JSON.parse(await get()) as { Statement: object[] };
  const both = JSON.stringify({ Version: '2012-10-17', Statement: [...Statement, ...JSON.parse(trusting('*')).Statement] });
  expect(await refusal(update(both))).toEqual(['MalformedPolicyDocument', 400, `Invalid principal in policy: "AWS":"${hop.id}"`]);
});

describe('a fault', () => {
  const errors = {
    serviceFailure: ['ServiceFailure', 500],
    serviceUnavailable: ['ServiceUnavailable', 503],
    throttling: ['Throttling', 400],
    accessDenied: ['AccessDenied', 403],
    deniedByServiceControlPolicy: ['AccessDenied', 403],
  } as const;
  test.each(Object.entries(errors))('%s is answered, once, and nothing is done', async (kind, answer) => {
    const { aws, get, update } = setUp();
    const fault = aws.fault({ kind: kind as keyof typeof errors, operation: 'UpdateAssumeRolePolicy', roleName: 'lbc' });
    expect(((await refusal(update(trusting('*')))) as unknown[]).slice(0, 2)).toEqual(answer);
    expect([await get(), fault.met, aws.journal[0]?.code]).toEqual([trusting(ROOT), 1, answer[0]]);
    await update(trusting('*'));
    expect(await get()).toBe(trusting('*'));
  });

  test('of permission has AWS’s sentence', async () => {
    const { aws, get } = setUp();
    aws.fault({ kind: 'accessDenied' });
    aws.fault({ kind: 'deniedByServiceControlPolicy' });
    const why = (kind: string) =>
      `User: arn:aws:iam::111122223333:user/testbed is not authorized to perform: iam:GetRole on resource: role lbc ${kind}`;
    expect(await refusal(get())).toEqual(['AccessDenied', 403, why('because no identity-based policy allows the iam:GetRole action')]);
    expect(await refusal(get())).toEqual(['AccessDenied', 403, why('with an explicit deny in a service control policy')]);
  });

  test('of permission for a caller without signature has the sentence of the article', async () => {
    const { aws } = setUp();
    aws.fault({ kind: 'accessDenied', service: 'sts' });
    expect(await refusal(aws.anonymous('sts', 'AssumeRoleWithWebIdentity', {}, never))).toEqual([
      'AccessDenied',
      403,
      'Not authorized to perform sts:AssumeRoleWithWebIdentity',
    ]);
  });

  test('that loses the answer loses a refusal as well', async () => {
    const { aws, update } = setUp();
    aws.fault({ kind: 'connectionResetAfterCommit' });
    await expect(update('{')).rejects.toThrow(new ConnectionReset('the connection was reset'));
    expect(aws.journal.at(-1)?.code).toBe('MalformedPolicyDocument');
  });

  const losses = {
    connectionReset: { done: false },
    connectionResetAfterCommit: { done: true },
    timeout: { done: false },
    timeoutAfterCommit: { done: true },
  } as const;
  test.each(Object.entries(losses))('%s leaves the caller without an answer', async (kind, { done }) => {
    const { aws, get, call } = setUp();
    aws.fault({ kind: kind as keyof typeof losses });
    const patience = new AbortController();
    const pending = call('iam', 'UpdateAssumeRolePolicy', { RoleName: 'lbc', PolicyDocument: trusting('*') }, patience.signal);
    if (kind.startsWith('timeout')) patience.abort(new Error('enough'));
    await expect(pending).rejects.toThrow(
      kind.startsWith('timeout') ? new Error('enough') : new ConnectionReset('the connection was reset'),
    );
    expect(await get()).toBe(trusting(done ? '*' : ROOT));
    expect(aws.journal.map(({ code, operation }) => `${operation} ${code}`)).toEqual([
      ...(done ? ['UpdateAssumeRolePolicy OK'] : []), // what never arrived is in no journal
      'GetRole OK',
    ]);
  });

  test('of a service is an outage of that one until it is ended', async () => {
    const { aws, get, call } = setUp();
    const outage = aws.fault({ kind: 'serviceUnavailable', service: 'iam', times: Number.POSITIVE_INFINITY });
    for (let i = 0; i < 3; i++) expect(await refusal(get())).toEqual(['ServiceUnavailable', 503, 'Service is unavailable']);
    expect(await call('sts', 'GetCallerIdentity', {}, never)).toMatchObject({ Account: '111122223333' });
    outage.end();
    expect([await get(), outage.met]).toEqual([trusting(ROOT), 3]);
  });
});

test('thirty-two writers that read behind and never look again lose statements, as at IAM: nothing here orders them', async () => {
  const { aws, state, draws, call, get } = setUp();
  aws.behave({ staleMs: { GetRole: 4_000 } });
  const subject = (n: number) => ({ Sid: `Writer${n}`, Effect: 'Allow', Principal: { AWS: ROOT }, Action: 'sts:AssumeRole' });
  for (let n = 0; n < 32; n++) {
    draws.push(0); // each sees the oldest version that is young enough
    const { Statement } = JSON.parse(await get()) as { Statement: object[] };
    const PolicyDocument = JSON.stringify({ Version: '2012-10-17', Statement: [...Statement, subject(n)] });
    await call('iam', 'UpdateAssumeRolePolicy', { RoleName: 'lbc', PolicyDocument }, never);
    state.now += 100;
  }
  state.now += 4_000;
  const kept = (JSON.parse(await get()) as { Statement: { Sid?: string }[] }).Statement.flatMap(({ Sid }) => Sid ?? []);
  expect(kept).toEqual(['Writer31']);
});
