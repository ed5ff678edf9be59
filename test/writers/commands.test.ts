import { expect, test } from 'vitest';
import { awsCalls } from '../../src/aws/calls.ts';
import { iamCalls } from '../../src/aws/iam-calls.ts';
import { iamRoles } from '../../src/aws/roles.ts';
import { binding, caller, grant } from '../../src/binding/test-observed.ts';
import type { Command } from '../../src/cli/command.ts';
import type { CommandPorts } from '../../src/cli/ports.ts';
import { prepare } from '../../src/cli/prepare.ts';
import { release } from '../../src/cli/release.ts';
import { Limiter } from '../../src/runtime/limiter.ts';
import { ManualClock } from '../../src/runtime/manual-clock.ts';
import { inProcessIam } from '../harness/in-process-iam.ts';
import { type AwsInProcess, createAws } from '../testbed/aws/in-process.ts';
import { isOurs, issuerOf, QUOTA, ROLE, randomFrom, sidOf, startWriter, statementsOf, writesOf } from './writer.ts';

/**
 * The commands beside operators of other clusters on one role, with reads up to four seconds behind that go back in time: real commands,
 * controllers and adapters on the double's IAM, in virtual time.
 */
const OPERATORS = 8;
const STALE_MS = 4_000;
const FOREIGN = [
  { Sid: 'Ec2', Effect: 'Allow', Principal: { Service: 'ec2.amazonaws.com' }, Action: 'sts:AssumeRole' },
  { Effect: 'Deny', Principal: { AWS: '*' }, Action: 'sts:AssumeRole', Condition: { Bool: { 'aws:SecureTransport': 'false' } } },
];
/** A command that somebody wrote over is run again by hand; who needs more turns than this has lost his way. */
const TURNS = 20;
const SLOW_MS = 120_000;

const seed = Number(process.env['SEED'] ?? Date.now() % 1_000_000);

function portsOf(aws: AwsInProcess, clock: ManualClock, random: () => number): CommandPorts {
  const call = awsCalls({ requested: () => {} }, clock);
  const limiter = (perSecond: number) => new Limiter({ perSecond, clock, waited: () => {} });
  const calls = iamCalls({ call, reads: limiter(10), writes: limiter(5), fence: () => {}, clock, random });
  return {
    cluster: () => ({
      issuer: async () => issuerOf(1_000),
      bindings: async () => [binding({ spec: { roleArn: ROLE } })],
      grants: async () => [grant()],
      namespace: async () => undefined,
      namespaces: async () => [],
      isRetiring: async () => false,
      apiAudiences: async () => [],
    }),
    eksIssuer: undefined,
    caller: async () => caller,
    roles: iamRoles(inProcessIam(aws.as({ roleName: 'platform-engineer' })), calls),
    providers: { clientIds: async () => ['sts.amazonaws.com'] },
    clock,
    random,
  };
}

/** As a person would: again, while somebody wrote over it. How often. */
async function runUntilDone(command: Command, issuer: string, ports: CommandPorts): Promise<number> {
  const never = new AbortController().signal;
  for (let turn = 1; turn <= TURNS; turn++) {
    const { rows } = await command.run({ issuer }, ports, { stop: never, abort: never });
    if (rows.every(({ result }) => result === 'added' || result === 'standing' || result === 'removed')) return turn;
  }
  throw new Error(`not done after ${TURNS} turns`);
}

// Contract: blue-green
test(`one cluster is prepared and one released while ${OPERATORS} others come to the same role, and nobody loses anything`, {
  timeout: SLOW_MS,
}, async () => {
  const random = randomFrom(seed);
  const clock = new ManualClock();
  const aws = createAws({ clock, random });
  aws.account().setQuota(QUOTA);
  aws.account().role.put({ name: 'app', path: '/team/', trustPolicy: { Version: '2012-10-17', Statement: FOREIGN } });
  const foreign = statementsOf(aws);
  const [dead, coming] = [OPERATORS, OPERATORS + 1];
  await drive(clock, runUntilDone(prepare, issuerOf(dead), portsOf(aws, clock, random)));

  aws.behave({ latencyMs: [50, 150], staleMs: { GetRole: STALE_MS, ListRoles: STALE_MS } });
  const writers = Array.from({ length: OPERATORS }, (_, index) => startWriter(index, aws, clock, random));
  const turns = await drive(
    clock,
    Promise.all([
      runUntilDone(prepare, issuerOf(coming), portsOf(aws, clock, random)),
      runUntilDone(release, issuerOf(dead), portsOf(aws, clock, random)),
    ]),
  );
  await clock.advance(20 * 60_000);
  const told = `seed ${seed}: prepare and release needed ${turns.join(' and ')} turns, ${writesOf(aws)} writes`;
  console.log(told);

  const sids = [...Array.from({ length: OPERATORS }, (_, index) => sidOf(index)), sidOf(coming)];
  const ours = statementsOf(aws).filter(isOurs);
  expect(ours.map(({ Sid }) => Sid).toSorted(), told).toEqual(sids.toSorted());
  expect(statementsOf(aws).filter((statement) => !isOurs(statement))).toEqual(foreign);
  expect(writers.map((writer) => writer.verdict()?.kind)).toEqual(writers.map(() => 'allowed'));
  await Promise.all(writers.map((writer) => writer.stop()));
});

/** Time goes on until it is done. */
async function drive<T>(clock: ManualClock, running: Promise<T>): Promise<T> {
  const ended = running.then(
    () => true,
    () => true,
  );
  while (!(await Promise.race([ended, clock.advance(1_000).then(() => false)])));
  return running;
}
