import { arnOf, ownerIn } from '../arn.ts';
import { malformedPolicy } from '../aws-error.ts';
import type { Account, World } from '../world.ts';
import { type Json, type JsonObject, listOf } from './json.ts';

const ACCOUNT_ROOT = /^arn:[a-z-]+:iam::\d{12}:root$/;
const SESSION = /^arn:[a-z-]+:sts::(\d{12}):assumed-role\/([\w+=,.@-]+)\/[\w+=,.@-]+$/;
const ENTITY = /^arn:[a-z-]+:iam::(\d{12}):(role|user)\/(?:.*\/)?([\w+=,.@-]+)$/;
const SERVICE = /^[a-z0-9.-]+\.(?:amazonaws\.com|amazonaws\.com\.cn|amazon\.com|aws\.internal)$/;
/** Also in another partition, and with a wildcard, which then matches nothing: both are found in stored policies, so IAM must have let them in. */
const FEDERATED_ARN = /^arn:aws[a-z-]*:iam::\d{12}:(?:saml-provider\/[\w.-]+|oidc-provider\/[A-Za-z0-9.*-]+(?::\d+)?(?:\/[\w.~%*-]+)*\/?)$/;
const DOMAIN_NAME = /^[A-Za-z0-9-]+(?:\.[A-Za-z0-9-]+)+(?:\/[\w.~%-]+)*$/;
const UNIQUE_ID = /^A(?:RO|ID)A[A-Z0-9]{17}$/;

/**
 * The principals as IAM stores them: an account number as its root, a role or user as its unique ID. Every write resolves every principal
 * anew, so a statement that nobody touched can refuse the whole document once its principal was deleted. Throws MalformedPolicyDocument.
 */
export function resolvePrincipals(world: World, account: Account, policy: JsonObject): JsonObject {
  return mapPrincipals(policy, (kind, name) => {
    if (kind === 'AWS') return resolveAws(world, account, name);
    if (kind === 'Service' && !SERVICE.test(name)) throw malformedPolicy(`Invalid principal in policy: "SERVICE":"${name}"`);
    // Whether the OIDC provider exists is not asked: tools make role and provider in any order.
    if (kind === 'Federated' && !FEDERATED_ARN.test(name) && !DOMAIN_NAME.test(name))
      throw malformedPolicy('Federated principals must be valid domain names or SAML metadata ARNs');
    return name;
  });
}

/** Unique IDs where the ARN is known to IAM, everything else as it is: for documents that a test plants past the validation. */
export function resolveKnownPrincipals(world: World, policy: JsonObject): JsonObject {
  return mapPrincipals(policy, (kind, name) => (kind === 'AWS' ? (entityId(world, name) ?? name) : name));
}

/** The principals as IAM shows them: the ARN of one that lives, the bare unique ID of one that was deleted, or that IAM cannot resolve now. */
export function renderPrincipals(world: World, policy: JsonObject): JsonObject {
  return mapPrincipals(policy, (kind, name) =>
    kind === 'AWS' && !isUnresolved(world, name) ? (world.principals.get(name) ?? name) : name,
  );
}

function isUnresolved({ conditions }: World, id: string): boolean {
  return (conditions.unresolved.get(id) ?? 0) > conditions.clock.now();
}

function resolveAws(world: World, { partition }: Account, name: string): string {
  // The IAM of a partition knows no accounts of another (https://docs.aws.amazon.com/whitepapers/latest/aws-fault-isolation-boundaries/partitions.html).
  if ((ownerIn(name)?.partition ?? partition) !== partition) throw malformedPolicy(`Invalid principal in policy: "AWS":"${name}"`);
  if (name === '*' || ACCOUNT_ROOT.test(name)) return name;
  if (/^\d{12}$/.test(name)) return arnOf({ id: name, partition }, 'iam', 'root');
  if (UNIQUE_ID.test(name) && world.principals.has(name)) return name;
  const [, account = '', role = ''] = SESSION.exec(name) ?? [];
  if (world.accounts.get(account)?.roles.has(role.toLowerCase())) return name;
  const id = entityId(world, name);
  if (id === undefined) throw malformedPolicy(`Invalid principal in policy: "AWS":"${name}"`);
  return id;
}

/** The unique ID behind the ARN of a role or user that lives, in any account. */
function entityId(world: World, arn: string): string | undefined {
  const [, accountId = '', kind, name = ''] = ENTITY.exec(arn) ?? [];
  const account = world.accounts.get(accountId);
  const entity = kind === 'role' ? account?.roles.get(name.toLowerCase()) : account?.users.get(name.toLowerCase());
  return entity?.arn === arn ? entity.id : undefined;
}

function mapPrincipals(policy: JsonObject, map: (kind: string, name: string) => string): JsonObject {
  const value = (kind: string) => (json: Json) => (typeof json === 'string' ? map(kind, json) : json);
  const names = (kind: string, json: Json): Json => (Array.isArray(json) ? json.map(value(kind)) : value(kind)(json));
  const statement = (json: Json): Json => {
    if (!(json instanceof Map)) return json;
    const principal = json.get('Principal');
    if (!(principal instanceof Map)) return json;
    return new Map(json).set('Principal', new Map([...principal].map(([kind, values]) => [kind, names(kind, values)])));
  };
  const statements = policy.get('Statement');
  if (statements === undefined) return policy;
  const mapped = listOf(statements).map(statement);
  return new Map(policy).set('Statement', Array.isArray(statements) ? mapped : (mapped[0] ?? null));
}
