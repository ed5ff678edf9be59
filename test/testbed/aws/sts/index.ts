import type { Operation } from '../operation.ts';
import { assumeRole } from './assume-role.ts';
import { assumeRoleWithWebIdentity } from './web-identity.ts';

/** Whoever signed may ask who that is; no policy can forbid it. */
const getCallerIdentity: Operation = ({ caller }) => ({ UserId: caller.userId, Account: caller.accountId, Arn: caller.arn });

export const STS_OPERATIONS: ReadonlyMap<string, Operation> = new Map([
  ['GetCallerIdentity', getCallerIdentity],
  ['AssumeRole', assumeRole],
  ['AssumeRoleWithWebIdentity', assumeRoleWithWebIdentity],
]);

/** The token is the credential. */
export const UNSIGNED: ReadonlySet<string> = new Set(['AssumeRoleWithWebIdentity']);
