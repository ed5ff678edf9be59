import { randomUUID } from 'node:crypto';
import { ownerIn } from './arn.ts';
import { authorize, refusedBy } from './authorize.ts';
import { AwsError, invalidClientToken, throttling } from './aws-error.ts';
import type { Fault, Loss } from './behaviour/faults.ts';
import { describeCluster } from './eks.ts';
import { IAM_OPERATIONS } from './iam/index.ts';
import { type JournalEntry, journalParams } from './journal.ts';
import { ANONYMOUS, type Answer, type Call, type Operation } from './operation.ts';
import { STS_OPERATIONS } from './sts/index.ts';
import type { Caller, World } from './world.ts';

export type Service = JournalEntry['service'];

/** A call as it arrives. */
export interface Arrival {
  /** Of the key that came with it, whether the signature holds or not; empty without one. */
  readonly account: string;
  readonly service: Service;
  readonly operation: string;
  readonly params: ReadonlyMap<string, string>;
  /** Says who calls; throws AwsError for a signature that does not hold. */
  readonly identify: (at: Date) => Caller;
  readonly requestId?: string;
  readonly sourceIp?: string;
  readonly userAgent?: string;
  /** Aborted when the caller no longer waits. */
  readonly signal: AbortSignal;
}

/** The connection ended without an answer. The code is Node's. */
export class ConnectionReset extends Error {
  readonly code = 'ECONNRESET';
}

const OPERATIONS: Readonly<Record<Service, ReadonlyMap<string, Operation>>> = {
  iam: IAM_OPERATIONS,
  sts: STS_OPERATIONS,
  eks: new Map([['DescribeCluster', describeCluster]]),
};

/**
 * What AWS does with a call, without the wire: it arrives (or not), waits, is identified, counted against its limit, authorized, and done;
 * then it is written down, and answered (or not). Throws AwsError; ConnectionReset and the signal's reason where an answer was lost.
 */
export async function perform(world: World, journal: JournalEntry[], arrival: Arrival): Promise<Answer | undefined> {
  const fault = world.conditions.faults.meet(arrival);
  if (isLost(fault, 'request')) return await loseTo(fault.by, arrival.signal);
  await latency(world, arrival.signal);
  const answer = execute(world, journal, arrival, fault);
  if (!isLost(fault, 'answer')) return await answer;
  await answer.catch((error: unknown) => {
    if (!(error instanceof AwsError)) throw error; // a refusal is lost like any other answer
  });
  return await loseTo(fault.by, arrival.signal);
}

async function execute(world: World, journal: JournalEntry[], arrival: Arrival, fault: Fault | undefined): Promise<Answer | undefined> {
  const { service, operation, params, requestId = randomUUID(), sourceIp = '127.0.0.1', userAgent = '' } = arrival;
  const at = world.now();
  let call: Call = { world, params, caller: ANONYMOUS, at, sourceIp, userAgent };
  let authorization: ReturnType<typeof authorize> = {};
  const record = (code: string): void => {
    const who = { account: accountIn(call), caller: call.caller.arn, ...(fault === undefined ? {} : { scripted: true as const }) };
    journal.push({ at, ...who, service, operation, params: journalParams(params), code, ...authorization, requestId, userAgent });
  };
  try {
    call = { ...call, caller: arrival.identify(at) };
    refuseSuspended(call);
    throttle(world, accountIn(call), `${service}:${operation}`);
    failIfScripted(fault, call, arrival);
    authorization = authorize(call, arrival);
    const answer = await (OPERATIONS[service].get(operation) ?? noSuchOperation(operation))(call);
    record('OK');
    return answer;
  } catch (error) {
    if (error instanceof AwsError) record(error.code);
    throw error;
  }
}

/**
 * Keys of a suspended account. Its resources "won't be available" (https://docs.aws.amazon.com/organizations/latest/APIReference/API_CloseAccount.html);
 * with which error is not documented, so this is assumed: the one of keys whose user or role is gone.
 */
function refuseSuspended({ world, caller }: Call): void {
  if (world.accounts.get(caller.accountId)?.suspended === true) throw invalidClientToken();
}

async function latency({ conditions: { behaviour, clock, random } }: World, signal: AbortSignal): Promise<void> {
  const [least, most] = behaviour.latencyMs ?? [0, 0];
  if (most > 0) await clock.sleep(least + random() * (most - least), signal);
}

function throttle({ conditions: { behaviour, buckets } }: World, account: string, action: string): void {
  const limit = behaviour.limits?.[action];
  if (limit !== undefined && !buckets.take(`${account} ${action}`, limit)) throw throttling();
}

function failIfScripted(fault: Fault | undefined, call: Call, arrival: Arrival): void {
  if (fault !== undefined && 'error' in fault) throw fault.error();
  if (fault !== undefined && 'deniedBy' in fault) throw refusedBy(call, arrival, fault.deniedBy);
}

function isLost(fault: Fault | undefined, what: 'request' | 'answer'): fault is Loss {
  return fault !== undefined && 'lost' in fault && fault.lost === what;
}

/** Never comes back with an answer: at once, or when the caller has had enough. */
async function loseTo(how: 'reset' | 'silence', signal: AbortSignal): Promise<never> {
  if (how === 'reset') throw new ConnectionReset('the connection was reset');
  signal.throwIfAborted();
  return await new Promise((_, reject) => signal.addEventListener('abort', () => reject(signal.reason), { once: true }));
}

const noSuchOperation =
  (operation: string): Operation =>
  () => {
    throw new AwsError('InvalidAction', 400, `Could not find operation ${operation}`);
  };

/** Of the caller; for a call without a signature, of the role that it names. */
function accountIn({ caller, params }: Call): string {
  return caller.accountId || (ownerIn(params.get('RoleArn') ?? '')?.id ?? '');
}
