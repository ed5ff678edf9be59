import type { Statement } from '../statements.ts';
import { inTerraform, locals, statementIn } from '../terraform.ts';
import { conditionsOf, filledIn, type Hub, type Member, memberFilledIn, type Names } from './examples.ts';

const NAMES: Names = {
  partition: 'local.partition',
  account: 'local.account',
  hubAccount: 'local.hub_account',
  hubRole: 'var.hub_role_arn',
  externalId: 'var.external_id',
  rolePath: 'var.role_path',
};

export function hubLocals({ organization, byAccount }: Hub): string {
  const text = (one: string) => memberFilledIn(one, NAMES);
  return locals({
    organization_statements: organization.map((statement) => statementIn(statement, text)),
    account_statements: byAccount.map((statement) => statementIn(statement, text, { Resource: ofEachAccount(statement) })),
  });
}

function ofEachAccount({ Resource }: Statement): string {
  const [first = ''] = Resource as readonly string[];
  return `[for account in local.accounts : ${inTerraform(first, (text) => memberFilledIn(text, { ...NAMES, account: 'account' }))}]`;
}

export function memberLocals({ trust, permissions, boundary }: Member): string {
  const text = (one: string) => filledIn(one, NAMES);
  const trusting = (statement: Statement): string => {
    const conditions = conditionsOf(statement);
    if (conditions === undefined) return statementIn(statement, text);
    const { asking, without } = conditions;
    return statementIn(statement, text, {
      Condition: `var.external_id == "" ? ${inTerraform(without, text)} : ${inTerraform(asking, text)}`,
    });
  };
  return locals({
    trust_statements: trust.map(trusting),
    statements: permissions.map((statement) => statementIn(statement, text)),
    boundary_statements: boundary.map((statement) => statementIn(statement, text)),
  });
}
