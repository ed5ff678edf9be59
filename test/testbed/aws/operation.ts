import type { Params } from './params.ts';
import { type Account, accountOf, type Caller, type Role, roleWithArn, type World } from './world.ts';

/** A call as an operation sees it: taken off the wire, its caller known. */
export interface Call {
  readonly world: World;
  readonly params: Params;
  /** `ANONYMOUS` for an operation that takes no signature. */
  readonly caller: Caller;
  readonly at: Date;
  readonly sourceIp: string;
  readonly userAgent: string;
}

/** What goes into `<...Result>`, or the JSON body. Lists become `<member>`s, a Map `<entry>`s, undefined is left out. */
export type Answer = { readonly [name: string]: AnswerValue };
export type AnswerValue = string | number | boolean | Date | undefined | ReadonlyMap<string, number> | Answer | readonly AnswerValue[];

/** Throws AwsError; anything else that it throws is a mistake of the double. `undefined` is an answer without a result. */
export type Operation = (call: Call) => Answer | undefined | Promise<Answer | undefined>;

export const ANONYMOUS: Caller = { accountId: '', arn: 'anonymous', userId: '', names: [] };

export function accountOfCaller({ world, caller }: Call): Account {
  return accountOf(world, caller.accountId);
}

/** The role whose session the caller is. */
export function roleOfCaller({ world, caller }: Call): Role | undefined {
  return roleWithArn(world, world.principals.get(caller.userId.split(':')[0] ?? '') ?? '');
}
