import { type AwsInProcess, createAws } from '@irsa-operator/testbed/aws';
import { expect, test } from 'vitest';
import { awsCalls } from '../../src/aws/calls.ts';
import { iamCalls } from '../../src/aws/iam-calls.ts';
import { iamRoles } from '../../src/aws/roles.ts';
import type { Row } from '../../src/cli/edit-report.ts';
import type { CommandPorts } from '../../src/cli/ports.ts';
import { prepare } from '../../src/cli/prepare/prepare.ts';
import { noProgress } from '../../src/cli/progress.ts';
import { release } from '../../src/cli/release.ts';
import type { Reporter } from '../../src/cli/report.ts';
import { binding, caller, grant } from '../../src/domain/test-observed.ts';
import { Limiter } from '../../src/runtime/limiter.ts';
import { ManualClock } from '../../src/runtime/manual-clock.ts';
import { inProcessIam } from '../harness/in-process-iam.ts';
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
/** What is written in the storm is settled by then. */
const QUIET_MS = 5 * 60_000;
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
      definition: async () => 'definition',
      apiAudiences: async () => [],
    }),
    eksIssuer: undefined,
    caller: async () => caller,
    roles: iamRoles(inProcessIam(aws.as({ roleName: 'platform-engineer' })), calls),
    providers: { clientIds: async () => ['sts.amazonaws.com'] },
    clock,
    random,
    progress: noProgress,
  };
}

/** Runs it once; the words of what came of it. */
async function once(command: Reporter<Row>, issuer: string, ports: CommandPorts): Promise<string[]> {
  const never = new AbortController().signal;
  const { rows } = await command({ issuer }, ports, { stop: never, abort: never });
  return rows.map(({ result }) => result);
}

// Contract: blue-green
test(`one cluster is prepared and one released while ${OPERATORS} others come to the same role: nobody else loses anything, and run again in quiet both are done`, {
  timeout: SLOW_MS,
}, async () => {
  const random = randomFrom(seed);
  const clock = new ManualClock();
  const aws = createAws({ clock, random });
  aws.account().setQuota(QUOTA);
  aws.account().role.put({ name: 'app', path: '/team/', trustPolicy: { Version: '2012-10-17', Statement: FOREIGN } });
  const foreign = statementsOf(aws);
  const [dead, coming] = [OPERATORS, OPERATORS + 1];
  const ports = () => portsOf(aws, clock, random);
  expect(await drive(clock, once(prepare, issuerOf(dead), ports()))).toEqual(['added']);

  aws.behave({ latencyMs: [50, 150], staleMs: { GetRole: STALE_MS, ListRoles: STALE_MS } });
  const writers = Array.from({ length: OPERATORS }, (_, index) => startWriter(index, aws, clock, random));
  const inStorm = await drive(clock, Promise.all([once(prepare, issuerOf(coming), ports()), once(release, issuerOf(dead), ports())]));
  await clock.advance(QUIET_MS);
  // A command does not look again by itself: a person runs it again when it is quiet.
  const inQuiet = [
    await drive(clock, once(prepare, issuerOf(coming), ports())),
    await drive(clock, once(release, issuerOf(dead), ports())),
  ];
  const told = `seed ${seed}: ${JSON.stringify({ inStorm, inQuiet })}, ${writesOf(aws)} writes`;
  console.log(told);
  await clock.advance(QUIET_MS);

  const sids = [...Array.from({ length: OPERATORS }, (_, index) => sidOf(index)), sidOf(coming)];
  const ours = statementsOf(aws).filter(isOurs);
  expect(ours.map(({ Sid }) => Sid).toSorted(), told).toEqual(sids.toSorted());
  expect(statementsOf(aws).filter((statement) => !isOurs(statement))).toEqual(foreign);
  expect(inQuiet.flat().filter((result) => !['added', 'standing', 'removed'].includes(result))).toEqual([]);
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
