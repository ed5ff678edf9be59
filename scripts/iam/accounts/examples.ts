import { type Json, reference, type Statement } from '../statements.ts';

/** What stands in config/iam/accounts/*.json for the hub and a member, and is filled in. */
const HUB = '111122223333';
const HUB_ROLE = `arn:aws:iam::${HUB}:role/irsa-operator`;
const MEMBER = '444455556666';
const EXTERNAL_ID = 'EXAMPLE-EXTERNAL-ID';
export const MEMBER_ROLE = 'irsa-operator-member';

export interface Hub {
  /** For every account of the hub's organization. */
  readonly organization: readonly Statement[];
  /** For the accounts of a list. */
  readonly byAccount: readonly Statement[];
}

export interface Member {
  readonly trust: readonly Statement[];
  readonly permissions: readonly Statement[];
  readonly boundary: readonly Statement[];
}

/** How a form calls what is filled in. */
export interface Names {
  readonly partition: string;
  readonly account: string;
  readonly hubAccount: string;
  readonly hubRole: string;
  readonly externalId: string;
  readonly rolePath: string;
}

/** The text with references in place of the examples; or as it is. */
export function filledIn(text: string, names: Names): string {
  if (text === HUB_ROLE) return reference(names.hubRole);
  if (text === EXTERNAL_ID) return reference(names.externalId);
  return text
    .replace(/^arn:aws:/, `arn:${reference(names.partition)}:`)
    .replace(`:${HUB}:`, `:${reference(names.hubAccount)}:`)
    .replace(`:${MEMBER}:`, `:${reference(names.account)}:`);
}

/** In the policy of the hub, the ARN of a member has its path. */
export function memberFilledIn(text: string, names: Names): string {
  return filledIn(text, names).replace(`:role/${MEMBER_ROLE}`, `:role${reference(names.rolePath)}${MEMBER_ROLE}`);
}

/** Of a statement that asks for the external ID: its condition, and the one where none was chosen. */
export function conditionsOf({ Condition }: Statement): { asking: Json; without: Json } | undefined {
  const { StringEquals, ...others } = Condition as Record<string, Json>;
  return StringEquals === undefined ? undefined : { asking: { ...others, StringEquals }, without: others };
}
