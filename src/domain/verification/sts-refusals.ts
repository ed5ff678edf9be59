import { roleArnParts } from '../../api/arn.ts';
import { assertNever } from '../../api/assert-never.ts';
import { type Finding, type FindingCode, finding } from '../../api/finding.ts';
import type { StsRefusal } from '../../api/sts-refusal.ts';
import type { Question } from '../state/question.ts';
import type { Verdict } from '../state/verdict.ts';

interface Cause {
  readonly code: FindingCode;
  /** What it means, and what to do. */
  readonly text: string;
}

/** What a refusal of STS is the sign of. AccessDenied is said for every cause in the trust policy; where that lets the token in, the cause is out of our sight. */
export function findingOf(refusal: StsRefusal, question: Question, verdict: Verdict | undefined): Finding {
  const { code, text } = causeOf(refusal, question, verdict);
  const said = `"${refusal.code}: ${refusal.message}"`;
  return finding(code, `STS refuses a token of "${question.subject}" for role "${question.role}" with ${said}. ${text}`);
}

function causeOf(refusal: StsRefusal, question: Question, verdict: Verdict | undefined): Cause {
  switch (refusal.code) {
    case 'AccessDenied':
      return verdict?.kind === 'unknown' ? undecided(verdict) : ORG_POLICY;
    case 'InvalidIdentityToken':
      return invalidToken(refusal.message, question);
    case 'IDPCommunicationError':
      return unreachable(question);
    case 'IDPRejectedClaim':
      return rejected(question);
    case 'ExpiredToken':
      return {
        code: 'TokenExpired',
        text: 'The token was created a moment ago for ten minutes. Compare the clock of the API server with the correct time',
      };
    case 'RegionDisabled': {
      const { account } = roleArnParts(question.role);
      const text = `Account ${account} has STS switched off in the region that irsa-operator calls. Activate it there (IAM, account settings)`;
      return { code: 'StsRegionDisabled', text };
    }
    case 'ValidationError':
      return {
        code: 'RoleArnMismatch',
        text: `STS does not accept this as the ARN of a role. Is it in the partition that irsa-operator runs in?`,
      };
    default:
      return assertNever(refusal.code);
  }
}

const ORG_POLICY: Cause = {
  code: 'OrgPolicyDenied',
  text: "Everything that irsa-operator can read allows it. What remains is a resource control policy of the role's organization. Ask its administrators",
};

/** What was left open by the trust policy is decided by this answer. */
function undecided({ message, findings }: Extract<Verdict, { kind: 'unknown' }>): Cause {
  return {
    code: findings[0]?.code ?? 'TrustConditionKeyUnknown',
    text: `The part that irsa-operator cannot evaluate denies it: ${message}`,
  };
}

/** One code for many causes: AWS's sentence tells them apart (the sentences are those that people quote in public issues). */
function invalidToken(message: string, question: Question): Cause {
  const { issuer, audience } = question;
  if (message.includes('No OpenIDConnect provider found')) {
    return { code: 'OidcProviderMissing', text: `IAM shows the OIDC provider of "${issuer}", but STS does not know it (yet)` };
  }
  if (message.includes('Incorrect token audience')) {
    return { code: 'OidcProviderAudienceMissing', text: `IAM shows the client ID "${audience}", but STS does not know it (yet)` };
  }
  if (message.includes('retrieve verification key')) return unreachable(question);
  if (message.includes('thumbprint')) {
    const text = `The certificate of "${issuer}" matches no thumbprint of the OIDC provider. Update the thumbprints`;
    return { code: 'OidcProviderThumbprint', text };
  }
  return rejected(question);
}

function unreachable({ issuer }: Question): Cause {
  const text = `STS cannot read the signing keys of the cluster. "${issuer}/.well-known/openid-configuration" and its "jwks_uri" must be open to the internet`;
  return { code: 'IdpUnreachable', text };
}

function rejected({ issuer }: Question): Cause {
  const text = `The API server signed it as "${issuer}", and the keys that are published there do not verify it. Are they the keys of this cluster?`;
  return { code: 'TokenRejected', text };
}
