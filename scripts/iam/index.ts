import { accounts } from './accounts/index.ts';
import { operatorRole } from './operator.ts';

/** What the operator may do in AWS, for people who write no JSON: by path. The JSON of config/iam is the source. */
export function iam(): Record<string, string> {
  return { ...operatorRole(), ...accounts() };
}
