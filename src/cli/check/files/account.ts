import { arnOwner, parseRoleArn, providerHostPath, type RoleArn, roleArnParts } from '../../../api/arn.ts';
import { Fault, notInFiles } from '../../../api/fault.ts';
import { isProblem } from '../../../api/problem.ts';
import { DEFAULT_POLICY_QUOTA } from '../../../api/quota.ts';
import type { FreshRole, ListedRole } from '../../../ports/roles.ts';
import { SID_PREFIX } from '../../../trust/document/own-statement.ts';
import type { ReadAws } from '../ports.ts';

/** A role as a file has it. */
export interface RoleInFile {
  readonly path: string;
  readonly name: string;
  /** Undefined before Terraform has made it. */
  readonly arn: string | undefined;
  readonly roleId: string;
  /** The trust policy, or why the file does not have it. */
  readonly policy: { readonly text: string } | { readonly unknown: string };
  readonly tags: ReadonlyMap<string, string>;
}

export interface ProviderInFile {
  /** The issuer without its scheme, as in the ARN. */
  readonly hostPath: string;
  readonly clientIds: readonly string[];
}

/** What one file says of IAM. */
export interface IamFile {
  readonly file: string;
  /** Every role of the account is in it: one that is not does not exist. */
  readonly whole: boolean;
  readonly roles: readonly RoleInFile[];
  readonly providers: readonly ProviderInFile[];
}

/**
 * What stands in files in place of an account. `wanted`: the roles that are asked for, which tell the account where no ARN of the files
 * does. Throws `Fault` where the files are of several accounts.
 */
export function accountInFiles(files: readonly IamFile[], wanted: readonly RoleArn[]): ReadAws {
  const roles = files.flatMap((one) => one.roles);
  const providers = files.flatMap((one) => one.providers);
  const isWhole = files.some(({ whole }) => whole);
  const owner = ownerOf(files, wanted);
  const names = files.map(({ file }) => `"${file}"`).join(', ');
  const find = (arn: RoleArn): RoleInFile | undefined => {
    const { path, name } = roleArnParts(arn);
    return roles.find((one) => one.arn === arn) ?? roles.find((one) => one.arn === undefined && one.path === path && one.name === name);
  };
  /** GetRole ignores the path, and case too. */
  const sameName = (arn: RoleArn) => roles.find(({ name }) => name.toLowerCase() === roleArnParts(arn).name.toLowerCase());
  return {
    async caller() {
      if (files.length === 0) throw notInFiles('name the roles of the account with --iam');
      if (owner === undefined) throw notInFiles('no file of --iam says of which account it is');
      const { partition, account } = owner;
      return { kind: 'known', account, arn: `arn:${partition}:iam::${account}:root`, ownRoles: [] };
    },
    roles: {
      async read(arn) {
        const role = find(arn) ?? (isWhole ? sameName(arn) : undefined);
        if (role !== undefined) return freshOf(role, role.arn ?? arn);
        if (isWhole) throw new Fault('notFound', `role "${arn}" is not in ${names}`);
        throw notInFiles(`role "${arn}" is not in ${names}, so it is managed elsewhere`);
      },
      async *list() {
        yield roles.flatMap((one): ListedRole[] => {
          const arn = parseRoleArn(one.arn ?? '');
          if (isProblem(arn) || 'unknown' in one.policy) return [];
          return [{ arn, mayBeOurs: one.policy.text.includes(SID_PREFIX), parse: () => freshOf(one, arn) }];
        });
      },
      policyQuota: async () => DEFAULT_POLICY_QUOTA,
    },
    providers: {
      async clientIds(arn) {
        const found = providers.find(({ hostPath }) => hostPath === providerHostPath(arn));
        if (found === undefined) throw notInFiles('no file of --iam says whether there is one');
        return found.clientIds;
      },
      list: async () => [],
    },
    eksIssuer: undefined,
  };
}

function freshOf({ roleId, policy, tags }: RoleInFile, arn: string): FreshRole {
  if ('unknown' in policy) throw notInFiles(policy.unknown);
  return { arn, roleId, policy: policy.text, tags };
}

function ownerOf(files: readonly IamFile[], wanted: readonly RoleArn[]): ReturnType<typeof arnOwner> {
  const named = (arns: readonly string[]) => new Map(arns.map((arn) => [arnOwner(arn)?.account, arnOwner(arn)] as const));
  const known = named(files.flatMap(({ roles }) => roles.flatMap(({ arn }) => arn ?? [])));
  if (known.size > 1) {
    const accounts = [...known.keys()].join(', ');
    throw new Fault('invalid', `--iam: the roles are in several accounts (${accounts}). Check one account at a time`);
  }
  const asked = named(wanted);
  return [...known.values()][0] ?? (asked.size === 1 ? [...asked.values()][0] : undefined);
}
