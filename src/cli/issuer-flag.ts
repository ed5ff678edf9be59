import { Fault } from '../api/fault.ts';
import { type Issuer, parseIssuer } from '../api/issuer.ts';
import { isProblem } from '../api/problem.ts';
import type { ClusterName } from '../domain/state/identity.ts';
import { clusterIdsFrom } from './cluster-id.ts';
import type { Given } from './command.ts';

/** The issuer that a flag names, if it was given. */
export function issuerIn(given: Given, flag: string): Issuer | undefined {
  const text = given[flag];
  if (typeof text !== 'string') return undefined;
  const issuer = parseIssuer(text);
  if (isProblem(issuer)) throw new Fault('invalid', `--${flag}: ${issuer.problem}`);
  return issuer;
}

export function issuerFrom(given: Given, flag: string): Issuer {
  const issuer = issuerIn(given, flag);
  if (issuer === undefined) throw new Fault('invalid', `--${flag} is missing: the issuer URL of the cluster that is meant`);
  return issuer;
}

/** The cluster that has this issuer, by the name that the user gives it. */
export function clusterNamed(issuer: Issuer, given: Given): ClusterName {
  const ids = clusterIdsFrom(given);
  if (isProblem(ids)) throw new Fault('invalid', ids.problem);
  return { issuer, ...ids };
}
