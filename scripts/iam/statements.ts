import { readFileSync } from 'node:fs';

export type Json = string | readonly Json[] | { readonly [key: string]: Json };
export type Statement = Readonly<Record<string, Json>>;

/** Of a policy in config/iam, which is the source of every other form. */
export function statementsOf(file: string): Statement[] {
  return (JSON.parse(readFileSync(`config/iam/${file}`, 'utf8')) as { Statement: Statement[] }).Statement;
}

/** Terraform and CloudFormation write it alike. */
export const reference = (name: string) => `\${${name}}`;
