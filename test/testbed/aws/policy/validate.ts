import type { Partition } from '../arn.ts';
import { limitExceeded, malformedPolicy } from '../aws-error.ts';
import { type Json, type JsonObject, listOf, parseJson } from './json.ts';
import { parseOperator } from './operators.ts';
import { requireTenant } from './shared-providers.ts';

/**
 * What IAM checks in the text of a trust policy when it is written, before it looks up any principal. Sentences: known from issue trackers,
 * the IAM user guide and the validator of versitygw, which was compared with AWS; "Syntax errors in policy." stands for everything that
 * has no known sentence of its own. Throws MalformedPolicyDocument with the first one that applies.
 */
export function checkTrustPolicy(text: string): JsonObject {
  const policy = parse(text);
  if (!(policy instanceof Map)) throw syntax();
  onlyMembers(policy, POLICY_MEMBERS);
  checkVersion(policy.get('Version'));
  const statements = listOf(policy.get('Statement'));
  if (statements.length === 0) throw malformedPolicy('Could not parse the policy: Statement is empty!');
  for (const statement of statements) checkStatement(statement);
  checkSidsUnique(statements);
  return policy;
}

/** Largest inline policy of a role, in characters (IAM user guide, "IAM and AWS STS quotas"). */
const IDENTITY_POLICY_CHARACTERS = 10_240;

/** The same for a policy that says what its bearer may do. Throws MalformedPolicyDocument or LimitExceeded. */
export function checkIdentityPolicy(text: string, partition: Partition): void {
  const policy = parse(text);
  if (!(policy instanceof Map)) throw syntax();
  onlyMembers(policy, POLICY_MEMBERS);
  checkVersion(policy.get('Version'));
  const statements = listOf(policy.get('Statement'));
  if (statements.length === 0) throw syntax();
  for (const statement of statements) checkIdentityStatement(statement, partition);
  checkSidsUnique(statements);
  if (text.replace(/\s/g, '').length > IDENTITY_POLICY_CHARACTERS) throw limitExceeded('RolePolicySize', IDENTITY_POLICY_CHARACTERS);
}

const POLICY_MEMBERS = new Set(['Version', 'Id', 'Statement']);
const STATEMENT_MEMBERS = new Set([
  'Sid',
  'Effect',
  'Principal',
  'NotPrincipal',
  'Action',
  'NotAction',
  'Resource',
  'NotResource',
  'Condition',
]);
const VERSIONS: ReadonlySet<Json | undefined> = new Set([undefined, '2008-10-17', '2012-10-17']);
const PRINCIPAL_KINDS = new Set(['AWS', 'Federated', 'Service']);

/** The only actions that a trust policy may name; wildcards are refused although evaluation would know them. */
const TRUST_ACTIONS = new Set([
  'sts:assumerole',
  'sts:assumerolewithsaml',
  'sts:assumerolewithwebidentity',
  'sts:tagsession',
  'sts:setsourceidentity',
  'sts:setcontext',
]);

const syntax = (): Error => malformedPolicy('Syntax errors in policy.');

function parse(text: string): Json {
  try {
    return parseJson(text);
  } catch {
    // The same sentence for a duplicate member: the grammar forbids it, and no other sentence is known.
    throw malformedPolicy('This policy contains invalid Json');
  }
}

function onlyMembers(object: JsonObject, known: ReadonlySet<string>): void {
  for (const name of object.keys()) if (!known.has(name)) throw syntax();
}

function checkVersion(version: Json | undefined): void {
  if (!VERSIONS.has(version)) throw malformedPolicy('The policy must contain a valid version string');
}

function checkStatement(statement: Json): void {
  if (!(statement instanceof Map)) throw syntax();
  onlyMembers(statement, STATEMENT_MEMBERS);
  checkSid(statement.get('Sid'));
  checkEffect(statement.get('Effect'));
  if (statement.has('Resource')) throw malformedPolicy('Has prohibited field Resource');
  if (statement.has('NotResource')) throw malformedPolicy('AssumeRole policy must not contain resources.');
  checkPrincipal(statement);
  checkActions(statement);
  checkCondition(statement.get('Condition'));
  requireTenant(statement);
}

function checkIdentityStatement(statement: Json, partition: Partition): void {
  if (!(statement instanceof Map)) throw syntax();
  onlyMembers(statement, STATEMENT_MEMBERS);
  checkSid(statement.get('Sid'));
  checkEffect(statement.get('Effect'));
  if (statement.has('Principal') || statement.has('NotPrincipal')) throw malformedPolicy('Policy document should not specify a principal.');
  const actions = oneOf(statement, 'Action', 'NotAction');
  if (actions.length === 0) throw malformedPolicy('Policy statement must contain actions.');
  if (actions.some((action) => !/^(?:\*|[a-z0-9-]+:\S+)$/i.test(action)))
    throw malformedPolicy('Actions/Conditions must be prefaced by a vendor, e.g., iam, sdb, ec2, etc.');
  const resources = oneOf(statement, 'Resource', 'NotResource');
  if (resources.length === 0) throw malformedPolicy('Policy statement must contain resources.');
  for (const resource of resources) checkResource(resource, partition);
  checkCondition(statement.get('Condition'));
}

/** The sentence about the partition is in reports of users (https://github.com/aws/chalice/issues/777); a wildcard there is taken to be let in. */
function checkResource(resource: string, partition: Partition): void {
  const [, named = ''] = /^arn:([^:]+):[^:]+:[^:]*:[^:]*:.+$/.exec(resource) ?? [];
  if (resource !== '*' && named === '') throw malformedPolicy(`Resource ${resource} must be in ARN format or "*".`);
  if (/^[a-z-]+$/.test(named) && named !== partition)
    throw malformedPolicy(`Partition "${named}" is not valid for resource "${resource}".`);
}

/** The values of the one member of the two that is there. */
function oneOf(statement: JsonObject, name: string, not: string): string[] {
  if (statement.has(name) && statement.has(not)) throw syntax();
  return listOf(statement.get(name) ?? statement.get(not)).map((value) => {
    if (typeof value !== 'string') throw syntax();
    return value;
  });
}

function checkSid(sid: Json | undefined): void {
  if (sid === undefined) return;
  if (typeof sid !== 'string') throw syntax();
  if (!/^[0-9A-Za-z]*$/.test(sid))
    throw malformedPolicy('Statement IDs (SID) must be alpha-numeric. Check that your input satisfies the regular expression [0-9A-Za-z]*');
}

/** An empty Sid is none: Terraform writes it in every statement. */
function checkSidsUnique(statements: readonly Json[]): void {
  const sids = statements.map((statement) => (statement instanceof Map ? statement.get('Sid') : undefined)).filter(Boolean);
  if (new Set(sids).size < sids.length) throw malformedPolicy('The Statement Ids in the policy are not unique');
}

function checkEffect(effect: Json | undefined): void {
  if (effect === undefined) throw malformedPolicy('Missing required field Effect');
  if (effect !== 'Allow' && effect !== 'Deny') throw malformedPolicy(`Invalid effect: ${String(effect)}`);
}

function checkPrincipal(statement: JsonObject): void {
  if (statement.has('NotPrincipal')) throw malformedPolicy('AssumeRole policy must not contain NotPrincipal field.');
  const principal = statement.get('Principal');
  if (principal === undefined) throw malformedPolicy('Missing required field Principal');
  if (principal === '*') throw malformedPolicy('AssumeRolepolicy contained an invalid principal: "STAR":"*".');
  if (typeof principal === 'string') throw malformedPolicy('Principal must be a JSON object.');
  if (!(principal instanceof Map)) throw syntax();
  if (principal.size === 0) throw malformedPolicy('Missing required field Principal cannot be empty!');
  for (const [kind, values] of principal) {
    if (!PRINCIPAL_KINDS.has(kind)) throw malformedPolicy(`Invalid principal in policy: "${kind}"`);
    const names = listOf(values);
    if (names.length === 0) throw malformedPolicy('Missing required field Principal cannot be empty!');
    if (names.some((name) => typeof name !== 'string')) throw syntax();
  }
}

function checkActions(statement: JsonObject): void {
  if (statement.has('Action') && statement.has('NotAction')) throw syntax();
  const actions = listOf(statement.get('Action') ?? statement.get('NotAction'));
  if (actions.length === 0) throw malformedPolicy('Missing required field Action');
  for (const action of actions) {
    if (typeof action !== 'string') throw syntax();
    if (!TRUST_ACTIONS.has(action.toLowerCase())) throw malformedPolicy('AssumeRole policy may only specify STS AssumeRole actions.');
  }
}

/** Operators must be known; keys and values are not looked at, which is why misspelt keys are found in the wild. */
function checkCondition(condition: Json | undefined): void {
  if (condition === undefined) return;
  if (!(condition instanceof Map)) throw syntax();
  for (const [operator, keys] of condition) {
    if (parseOperator(operator) === undefined || !(keys instanceof Map)) throw syntax();
    for (const values of keys.values()) if (listOf(values).some((value) => value === null || typeof value === 'object')) throw syntax();
  }
}
