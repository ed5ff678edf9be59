import type { RoleArn } from '../../api/arn.ts';
import { isProblem } from '../../api/problem.ts';
import type { Stepwise } from '../../api/stepwise.ts';
import { proofNeedsTags } from '../../domain/verification/proof.ts';
import { authorizationOf } from '../observe.ts';
import type { Stores } from '../stores.ts';

/** Tags stand in no list, so a tag that went is found by reading the role by itself: this often, and spread over the sweeps of that time. */
const TAGS_EVERY_MS = 3_600_000;

/** Roles whose tags a grant asks for, and whose turn it is to be read: those that were not for the longest time first. */
export function* rolesWithTagsDue(stores: Stores, now: number, intervalMs: number): Stepwise<RoleArn[]> {
  // Most clusters have no such grant: then there is nothing to go through all bindings for.
  if (!stores.grants.list().some(({ spec }) => !isProblem(spec) && Object.keys(spec.requiredRoleTags).length > 0)) return [];
  const wanted = new Set<RoleArn>();
  for (const binding of stores.bindings.list()) {
    yield;
    if (isProblem(binding.spec) || wanted.has(binding.spec.roleArn)) continue;
    const authorization = authorizationOf(stores, binding);
    if (
      authorization.kind === 'granted' &&
      (authorization.grants.every(({ requiredRoleTags }) => Object.keys(requiredRoleTags).length > 0) ||
        proofNeedsTags(binding.spec, authorization.grants))
    ) {
      wanted.add(binding.spec.roleArn);
    }
  }
  const readAt = (arn: RoleArn): number => {
    const state = stores.roles.get(arn)?.state;
    return state?.kind === 'present' ? (state.tags?.asOf ?? Number.NEGATIVE_INFINITY) : now;
  };
  const due = [...wanted].filter((arn) => now - readAt(arn) >= TAGS_EVERY_MS).toSorted((a, b) => readAt(a) - readAt(b));
  return due.slice(0, Math.ceil((wanted.size * intervalMs) / TAGS_EVERY_MS));
}
