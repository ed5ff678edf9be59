import { written } from '../cloudformation.ts';
import { statementsOf } from '../statements.ts';
import { hubTemplate, memberTemplate } from './cloudformation.ts';
import { hubLocals, memberLocals } from './terraform.ts';

const HEADER = '# Generated from config/iam/accounts/*.json by `npm run generate`. Do not edit.\n';

/** The operator's own role as a hub, and the role of each other account that it assumes: its members. */
export function accounts(): Record<string, string> {
  const hub = { organization: statementsOf('accounts/hub.json'), byAccount: statementsOf('accounts/hub-by-account.json') };
  const member = {
    trust: statementsOf('accounts/member-trust.json'),
    permissions: statementsOf('accounts/member.json'),
    boundary: statementsOf('accounts/member-boundary.json'),
  };
  return {
    'config/iam/accounts/hub.yaml': HEADER + written(hubTemplate(hub)),
    'config/iam/accounts/member.yaml': HEADER + written(memberTemplate(member)),
    'config/iam/accounts/terraform/hub/statements.tf': HEADER + hubLocals(hub),
    'config/iam/accounts/terraform/member/statements.tf': HEADER + memberLocals(member),
  };
}
