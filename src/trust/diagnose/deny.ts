import type { Issuer } from '../../api/issuer.ts';
import { statementName } from '../document/document.ts';
import { type Judged, partsOf } from '../evaluate/evaluate.ts';
import { keyInWords } from '../evaluate/near.ts';
import { isUnknown } from '../evaluate/truth.ts';
import type { PartialFinding } from './partial-finding.ts';

/** Denies that match, and then those of which it cannot be known. */
export function deniedFindings(judged: readonly Judged[], issuer: Issuer): PartialFinding[] {
  const denies = judged.filter(({ effect, truth }) => effect !== 'Allow' && truth !== false);
  return denies.toSorted((a, b) => Number(matches(b)) - Number(matches(a))).map((deny) => partialFinding(deny, issuer));
}

function matches({ effect, truth }: Judged): boolean {
  return effect === 'Deny' && truth === true;
}

function partialFinding(deny: Judged, issuer: Issuer): PartialFinding {
  const name = statementName(deny.statement);
  if (matches(deny)) {
    return {
      code: 'TrustExplicitDeny',
      text: `${name} denies this token${because(deny, issuer)}. A Deny overrides every Allow, so only the owner of the statement can fix this`,
    };
  }
  const unknowns = partsOf(deny).flatMap(({ truth }) => (isUnknown(truth) ? [truth.unknown] : []));
  return {
    code: 'TrustConditionKeyUnknown',
    text: `${name} may deny this token: ${unknowns[0] ?? 'its "Effect" is neither "Allow" nor "Deny"'}`,
  };
}

/** More conditions than these nobody reads. */
const MAX_NAMED = 4;

function because({ conditions }: Judged, issuer: Issuer): string {
  const held = conditions.slice(0, MAX_NAMED).map(({ operatorName, key }) => `${operatorName} on ${keyInWords(key, issuer)}`);
  return held.length === 0 ? ' without a condition' : `, because ${held.join(' and ')} ${held.length === 1 ? 'holds' : 'hold'}`;
}
