import { ownerIn } from '../arn.ts';
import { malformedPolicy, validationError } from '../aws-error.ts';
import { accountOfCaller, type Call } from '../operation.ts';
import { bounded, integer, optional, required } from '../params.ts';
import { parseJson } from '../policy/json.ts';
import { type Account, DEFAULT_SESSION_SECONDS, type Role } from '../world.ts';

/** Documented bounds of DurationSeconds; the upper one is the largest that a role can be given. */
const DURATION_SECONDS = { min: 900, max: 43_200, otherwise: DEFAULT_SESSION_SECONDS };
/** Bounds of the API model. */
const ARN_CHARACTERS = { min: 20, max: 2_048 };
const SESSION_NAME = { min: 2, max: 64, pattern: /^[\w+=,.@-]*$/ };
const SESSION_POLICY_CHARACTERS = { min: 1, max: 2_048 };

const ROLE_ARN = /^arn:[a-z-]+:iam::\d{12}:role\/(?:[\u0021-\u007e]+\/)?([\w+=,.@-]+)$/;

/** What the calls that assume a role have in common. */
export interface RoleRequest {
  readonly roleArn: string;
  /** Undefined when no such account is known: it is no error yet, so as not to tell strangers which accounts and roles there are. */
  readonly account: Account | undefined;
  /**
   * None in an account that is suspended: who assumes one there is refused in the same sentence as for a role that does not exist
   * (https://github.com/CrowdStrike/cloud-resource-estimator/issues/25,
   * https://github.com/aws-samples/aws-security-reference-architecture-examples/issues/218).
   */
  readonly role: Role | undefined;
  readonly sessionName: string;
  readonly seconds: number;
}

/** Throws ValidationError for what can be said without looking at any role, MalformedPolicyDocument for a broken session policy. */
export function readRoleRequest(call: Call): RoleRequest {
  const { world, params } = call;
  const roleArn = bounded(required(params, 'RoleArn'), 'RoleArn', ARN_CHARACTERS);
  const sessionName = bounded(required(params, 'RoleSessionName'), 'RoleSessionName', SESSION_NAME);
  const seconds = integer(params, 'DurationSeconds', DURATION_SECONDS);
  checkSessionPolicy(optional(params, 'Policy'));
  const [, name = ''] = ROLE_ARN.exec(roleArn) ?? [];
  const { id = '', partition = '' } = ownerIn(roleArn) ?? {};
  const account = world.accounts.get(id);
  if (name === '' || partition !== partitionAsked(call, account)) throw validationError('Request ARN is invalid');
  const role =
    account?.suspended === false ? account.roles.seen(name.toLowerCase(), world.conditions.behaviour.staleMs?.STS ?? 0) : undefined;
  // Unlike GetRole, STS takes the ARN for what it is: path and case must be right.
  return { roleArn, account, role: role?.arn === roleArn ? role : undefined, sessionName, seconds };
}

/**
 * Whose STS this is: credentials are of one partition and are good for no other, a token is good for the STS of the role's account. "You cannot
 * use IAM credentials from one partition to interact with resources in a different partition"
 * (https://docs.aws.amazon.com/whitepapers/latest/aws-fault-isolation-boundaries/partitions.html). What STS says to an ARN of another
 * partition is known of AssumeRoleWithWebIdentity, from reports of users, and taken to hold for AssumeRole.
 */
function partitionAsked(call: Call, account: Account | undefined): string {
  if (call.caller.accountId !== '') return accountOfCaller(call).partition;
  return (account ?? call.world).partition;
}

/** Only told to a caller that may assume the role. */
export function checkDuration(role: Role, seconds: number): void {
  if (seconds > role.maxSessionSeconds)
    throw validationError('The requested DurationSeconds exceeds the MaxSessionDuration set for this role.');
}

function checkSessionPolicy(policy: string | undefined): void {
  if (policy === undefined) return;
  bounded(policy, 'Policy', SESSION_POLICY_CHARACTERS);
  try {
    if (parseJson(policy) instanceof Map) return;
  } catch {
    // Said below, as for a document that is JSON and no policy.
  }
  throw malformedPolicy('This policy contains invalid Json');
}
