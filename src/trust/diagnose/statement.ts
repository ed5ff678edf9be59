import { WEB_IDENTITY_ACTION } from '../../api/names.ts';
import { asList, member, statementName } from '../document/document.ts';
import type { ObjectNode } from '../document/json.ts';
import { quote, quoteAll } from '../document/quote.ts';

import { scalarText } from '../evaluate/comparisons.ts';
import type { Judged, WebIdentity } from '../evaluate/evaluate.ts';
import { nearlyNamesAction } from '../evaluate/near.ts';
import { principalValues } from '../evaluate/principals.ts';
import { kindOfKey } from '../evaluate/request.ts';
import { fold } from '../evaluate/text.ts';
import { conditionFindings } from './condition.ts';
import type { PartialFinding } from './partial-finding.ts';
import { isKubernetesProvider, principalFindings } from './principal.ts';

/** Why one Allow does not let the token in, and how far it is from doing so. */
export interface NearMiss {
  readonly distance: number;
  readonly partials: readonly PartialFinding[];
}

/** A statement for another provider is further away than one with every other mistake, so it speaks last. */
const OTHER_PROVIDER = 100;

/** What is wrong with an Allow that does not hold; nothing when it was never meant for the tokens of a cluster. */
export function nearMissOf(judged: Judged, request: WebIdentity): NearMiss {
  if (!isMeantForTokens(judged, request)) return { distance: Number.POSITIVE_INFINITY, partials: [] };
  const principal = judged.principal !== true ? principalFindings(judged.statement, request) : [];
  const action = judged.action !== true ? [wrongAction(judged)] : [];
  const conditions = conditionFindings(judged, request);
  // A principal for another cluster explains why nothing else fits; a mistake in the right one does not, nor one that may let this token in.
  const other = judged.principal === false && principal.some(({ code }) => code === 'TrustPrincipalProviderMismatch');
  const partials = other ? [...principal, ...action] : [...principal, ...action, ...conditions];
  return { distance: partials.length + (other ? OTHER_PROVIDER : 0), partials };
}

/** Statements for EC2, Lambda, GitHub Actions and the like are not failed attempts at IRSA and are not spoken of. */
function isMeantForTokens(judged: Judged, { issuer }: WebIdentity): boolean {
  const federated = principalValues(judged.statement.node).filter(({ kind }) => kind === 'Federated');
  if (judged.principal !== false && judged.action !== false) return true;
  if (judged.principal === true || federated.some(({ value }) => isKubernetesProvider(value, issuer))) return true;
  const namesServiceAccounts = judged.conditions.some(({ key, values }) => {
    const kind = kindOfKey(key, issuer);
    return (
      kind === 'subject' || kind === 'audience' || values.some((value) => fold(scalarText(value) ?? '').includes('system:serviceaccount'))
    );
  });
  return namesServiceAccounts || (judged.action === true && federated.length === 0);
}

function wrongAction({ statement }: Judged): PartialFinding {
  const { node } = statement;
  const excluded = member(node, 'NotAction') !== undefined;
  const actions = texts(node, excluded ? 'NotAction' : 'Action');
  const near = actions.filter(nearlyNamesAction);
  const found = excluded
    ? `allows every action except ${near.length > 0 ? quoteAll(near) : 'those in "NotAction"'}`
    : actions.length === 0
      ? 'has no action'
      : `allows ${near.length > 0 ? `the action ${quoteAll(near)}` : 'no action of STS'}`;
  return {
    code: 'TrustWrongAction',
    text: `${statementName(statement)} ${found}. Wanted: ${quote(WEB_IDENTITY_ACTION)}`,
  };
}

function texts(node: ObjectNode, name: string): string[] {
  const found = member(node, name);
  return found === undefined ? [] : asList(found).map((item) => scalarText(item) ?? `a JSON ${item.kind}`);
}
