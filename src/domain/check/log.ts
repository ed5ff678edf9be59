import { type RoleArn, roleArnParts, sharesAccount } from '../../api/arn.ts';
import { cut } from '../../api/cut.ts';
import { type Finding, finding } from '../../api/finding.ts';
import { WEB_IDENTITY_ACTION } from '../../api/names.ts';

/** A sentence of AWS in the log of a container. */
export interface AwsSentence {
  /** RFC 3339, in UTC. */
  readonly at: string | undefined;
  /** The sentence and nothing around it, so that no other words of the log are shown. */
  readonly text: string;
  /** `elasticloadbalancing:AddTags`, where it says that this is not allowed. */
  readonly action: string | undefined;
  /** Whom AWS refused, where it says so. */
  readonly user: string | undefined;
}

const LONGEST = 300;
/** Of what AWS writes and nothing more: what is before it in the line, or after a quote, is the application's own. */
const ARN = 'arn:[\\w+=.@:/*-]{1,300}';
const POLICIES = [
  ...['identity-based', 'resource-based', 'session', 'service control', 'resource control', 'VPC endpoint'].map((kind) => `${kind} policy`),
  'permissions boundary',
].join('|');
const SENTENCE = new RegExp(
  [
    '(?:AccessDenied(?:Exception)?: )?',
    `(?:User: (${ARN}) is )?`,
    '[Nn]ot authorized to perform:? ([a-z0-9-]+:[A-Za-z]+)',
    `(?: on resource: (?:${ARN}|\\*))?`,
    `(?: because no (?:${POLICIES}) allows the [a-z0-9-]+:[A-Za-z]+ action| with an explicit deny in an? (?:${POLICIES}))?`,
  ].join(''),
);
const OTHER =
  /(?:InvalidIdentityToken|ExpiredTokenException|NoCredentialProviders|CredentialsProviderError|Could not load credentials from any providers|Unable to locate credentials)/;
/** Runtimes write the time of their node, as a rule UTC. */
const TIME = /^(\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d)(?:\.\d+)?(Z|[+-]\d\d:\d\d)?\s/;

/** The last sentence of AWS in the end of a log. */
export function lastSentence(log: string): AwsSentence | undefined {
  for (const line of log.split('\n').toReversed()) {
    const match = SENTENCE.exec(line) ?? OTHER.exec(line);
    if (match === null) continue;
    const [text, user, action] = match;
    return { at: timeOf(line), text: cut(text, LONGEST), action, user };
  }
  return undefined;
}

/** Without the fraction; undefined where the line has no time. */
export function timeOf(line: string): string | undefined {
  const [, at, zone = 'Z'] = TIME.exec(line) ?? [];
  const time = Date.parse(`${at}${zone}`);
  return Number.isNaN(time) ? undefined : new Date(time).toISOString().replace('.000Z', 'Z');
}

/** A permission that the role lacks is told apart from trust: then IRSA works. Who is refused may be another, as the node of a pod without the role. */
export function permissionDenied({ action, user }: AwsSentence, role: RoleArn | undefined): Finding | undefined {
  if (action === undefined || action === WEB_IDENTITY_ACTION) return undefined;
  if (user !== undefined && (role === undefined || !isSessionOf(user, role))) return undefined;
  return finding(
    'RolePermissionDenied',
    `AWS refused "${action}" to the role: a permission of the role, and not its trust policy. Its log has the sentence of AWS`,
  );
}

function isSessionOf(user: string, role: RoleArn): boolean {
  return sharesAccount(role, user) && user.split(':assumed-role/')[1]?.split('/')[0] === roleArnParts(role).name;
}
