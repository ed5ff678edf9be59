import { arnOwner } from '../../api/arn.ts';
import { asList, member } from '../document/document.ts';
import type { JsonNode, ObjectNode } from '../document/json.ts';
import { quote } from '../document/quote.ts';
import type { WebIdentity } from './request.ts';
import { any, not, type Truth, unknown } from './truth.ts';

/** The two that IAM has, written exactly so (https://docs.aws.amazon.com/IAM/latest/UserGuide/reference_policies_elements_effect.html). */
export type Effect = 'Allow' | 'Deny';

/**
 * Whether a statement's principal is the provider of the request. Principals are compared as a whole, never as patterns
 * (https://docs.aws.amazon.com/IAM/latest/UserGuide/reference_policies_elements_principal.html).
 */
export function principalMatches(statement: ObjectNode, effect: Effect, request: WebIdentity): Truth {
  const principal = member(statement, 'Principal');
  const excluded = member(statement, 'NotPrincipal');
  if (principal !== undefined && excluded !== undefined) return unknown('it has both "Principal" and "NotPrincipal"');
  if (principal !== undefined) return matchesAny(principal, effect, request);
  if (excluded === undefined) return unknown('it has no "Principal"');
  const others = not(matchesAny(excluded, 'Deny', request));
  // An Allow for everybody else is an Allow for "*", of which it is not documented whether it reaches web identities.
  return effect === 'Allow' && others === true ? unknown('it is an Allow with "NotPrincipal"') : others;
}

function matchesAny(principal: JsonNode, effect: Effect, request: WebIdentity): Truth {
  if (principal.kind === 'string' && principal.value === '*') return everybody(effect);
  if (principal.kind !== 'object') return unknown('its principal is neither an object nor "*"');
  return any(
    principal.members.flatMap(({ name, value }) =>
      asList(value).map((item) => {
        if (item.kind !== 'string') return unknown(`its principal of the kind ${quote(name)} is a JSON ${item.kind}`);
        return matchesOne(name, item.value, effect, request);
      }),
    ),
  );
}

function matchesOne(kind: string, value: string, effect: Effect, request: WebIdentity): Truth {
  switch (kind) {
    case 'Federated':
      if (value === '*') return unknown('AWS does not document what "*" means as a federated principal');
      return value === request.provider;
    case 'AWS':
      if (value === '*') return everybody(effect);
      return effect === 'Deny' && isAccountOf(value, request)
        ? unknown(`AWS does not document whether a Deny for the account ${value} covers web identities`)
        : false;
    case 'Service':
    case 'CanonicalUser':
      return false;
    default:
      return unknown(`IAM has no principal of the kind ${quote(kind)}`);
  }
}

/**
 * In a Deny, `*` is everybody, web identities too; in an Allow it is not documented whether it lets them in
 * (https://docs.aws.amazon.com/IAM/latest/UserGuide/reference_policies_elements_principal.html#principal-anonymous).
 */
function everybody(effect: Effect): Truth {
  return effect === 'Deny' ? true : unknown('AWS does not document whether an Allow for "*" covers web identities');
}

/** An account stands as its number or as its root (https://docs.aws.amazon.com/IAM/latest/UserGuide/reference_policies_elements_principal.html#principal-accounts). */
function isAccountOf(value: string, request: WebIdentity): boolean {
  const account = arnOwner(request.provider)?.account;
  return account !== undefined && (value === account || value.endsWith(`:iam::${account}:root`));
}

/** One principal: `Federated`, `AWS`, `Service`, `CanonicalUser` (https://docs.aws.amazon.com/IAM/latest/UserGuide/reference_policies_elements_principal.html), or whatever stands there. */
export interface PrincipalValue {
  readonly kind: string;
  readonly value: string;
}

/** Every string in `Principal` with its kind; the bare `"*"` is of the kind `anybody`. */
export function principalValues(statement: ObjectNode): readonly PrincipalValue[] {
  const principal = member(statement, 'Principal');
  if (principal?.kind === 'string') return [{ kind: 'anybody', value: principal.value }];
  if (principal?.kind !== 'object') return [];
  return principal.members.flatMap(({ name, value }) =>
    asList(value).flatMap((item) => (item.kind === 'string' ? [{ kind: name, value: item.value }] : [])),
  );
}
