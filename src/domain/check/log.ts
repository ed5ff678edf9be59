import { cut } from '../../api/cut.ts';
import { type Finding, finding } from '../../api/finding.ts';
import { WEB_IDENTITY_ACTION } from '../../api/names.ts';

/** A sentence of AWS in the log of a container. */
export interface AwsSentence {
  /** As the container's runtime wrote it: RFC 3339. */
  readonly at: string | undefined;
  /** The sentence and nothing around it, so that no other words of the log are shown. */
  readonly text: string;
  /** `elasticloadbalancing:AddTags`, where it says that this is not allowed. */
  readonly action: string | undefined;
}

const LONGEST = 300;
/** Of what AWS writes and nothing more: what stands before it in the line, or after a quote, is the application's own. */
const SENTENCE =
  /(?:AccessDenied(?:Exception)?: )?(?:User: \S{1,200} is )?[Nn]ot authorized to perform:? ([a-z0-9-]+:[A-Za-z]+)(?: on resource: \S{1,300})?(?: because [a-z' -]{1,100})?/;
const OTHER =
  /(?:InvalidIdentityToken|ExpiredTokenException|NoCredentialProviders|CredentialsProviderError|Could not load credentials from any providers|Unable to locate credentials)/;
const TIME = /^(\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d)\S*\s/;

/** The last sentence of AWS in the end of a log. */
export function lastSentence(log: string): AwsSentence | undefined {
  for (const line of log.split('\n').toReversed()) {
    const match = SENTENCE.exec(line) ?? OTHER.exec(line);
    if (match === null) continue;
    const [, at] = TIME.exec(line) ?? [];
    return { at: at === undefined ? undefined : `${at}Z`, text: cut(match[0].trim(), LONGEST), action: match[1] };
  }
  return undefined;
}

/** A permission that the role lacks is told apart from trust: then IRSA works. */
export function permissionDenied({ action }: AwsSentence): Finding | undefined {
  if (action === undefined || action === WEB_IDENTITY_ACTION) return undefined;
  return finding(
    'RolePermissionDenied',
    `AWS refused "${action}" to the role: a permission of the role, and not its trust policy. Its log has the sentence of AWS`,
  );
}
