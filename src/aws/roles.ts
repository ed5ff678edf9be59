import {
  GetAccountSummaryCommand,
  GetRoleCommand,
  type IAMClient,
  type Role as IamRole,
  ListRolesCommand,
  UpdateAssumeRolePolicyCommand,
} from '@aws-sdk/client-iam';
import { parseRoleArn, type RoleArn, roleArnParts } from '../api/arn.ts';
import { Fault } from '../api/fault.ts';
import { isProblem } from '../api/problem.ts';
import { DEFAULT_POLICY_QUOTA } from '../api/quota.ts';
import type { FreshRole, Role, Roles } from '../ports/roles.ts';
import type { Urgency } from '../runtime/queue.ts';
import { decodeDocument } from '../trust/document/document.ts';
import { SID_PREFIX } from '../trust/document/own-statement.ts';
import type { IamCalls } from './iam-calls.ts';

/** A page of a thousand roles blocks the event loop for 20 ms while the SDK parses it; two hundred for 6 ms (measured). */
const PAGE_SIZE = 200;
/** The most that IAM takes, for a command that holds up nobody: an account has 1,000 roles unless its quota was raised, which is one call. */
export const LARGEST_PAGE = 1_000;
/** An account has a few thousand roles at most; more pages than this would be a loop. */
const MAX_PAGES = 1_000;

interface RolesOptions {
  /** The client that writes go through. */
  readonly writing?: IAMClient;
  /** For whom a role is read and written: its calls have their turns among those of these. */
  readonly tenantsOf?: (role: RoleArn) => Iterable<string>;
  /** Of a list: roles in one call. */
  readonly pageSize?: number;
}

/** IAM roles as the product sees them. Throws `Fault` and nothing else. */
export function iamRoles(iam: IAMClient, calls: IamCalls, { writing = iam, tenantsOf, pageSize = PAGE_SIZE }: RolesOptions = {}): Roles {
  async function read(arn: RoleArn, signal: AbortSignal, urgency: Urgency): Promise<FreshRole> {
    const { name } = roleArnParts(arn);
    const request = { operation: 'GetRole', of: `role "${arn}"`, signal, urgency, tenants: tenantsOf?.(arn) };
    const { Role: found } = await calls.read(request, (options) => iam.send(new GetRoleCommand({ RoleName: name }), options));
    const tags = new Map((found?.Tags ?? []).map(({ Key, Value }) => [Key ?? '', Value ?? '']));
    return { ...roleFrom(found, arn), tags };
  }

  return {
    read,
    edit(arn, decide, signal, urgency) {
      const request = { operation: 'UpdateAssumeRolePolicy', of: `role "${arn}"`, signal, urgency, tenants: tenantsOf?.(arn) };
      return calls.write(request, async (write) => {
        // Right before the write: IAM has no compare-and-swap.
        const fresh = await read(arn, signal, urgency);
        const document = await decide(fresh);
        if (document === undefined) return { fresh, written: undefined };
        const command = new UpdateAssumeRolePolicyCommand({ RoleName: roleArnParts(arn).name, PolicyDocument: document });
        await write((options) => writing.send(command, options));
        return { fresh, written: document };
      });
    },

    async *list(signal, urgency) {
      let marker: string | undefined;
      for (let pages = 0; pages < MAX_PAGES; pages++) {
        const command = new ListRolesCommand({ MaxItems: pageSize, ...(marker === undefined ? {} : { Marker: marker }) });
        const page = await calls.read({ operation: 'ListRoles', of: 'the account', signal, urgency }, (options) =>
          iam.send(command, options),
        );
        yield (page.Roles ?? []).flatMap((found) => {
          const arn = parseRoleArn(found.Arn ?? '');
          // The letters of a Sid are not encoded in a URL.
          const mayBeOurs = found.AssumeRolePolicyDocument?.includes(SID_PREFIX) === true;
          return isProblem(arn) ? [] : [{ arn, mayBeOurs, parse: () => roleFrom(found, arn) }];
        });
        // A page may hold fewer roles than asked for although more follow: only the flag tells.
        if (!page.IsTruncated || page.Marker === undefined) return;
        marker = page.Marker;
      }
      throw new Fault('transient', `iam:ListRoles of the account does not end: more follow after ${MAX_PAGES} pages`);
    },

    async policyQuota(signal, urgency) {
      const { SummaryMap } = await calls.read({ operation: 'GetAccountSummary', of: 'the account', signal, urgency }, (options) =>
        iam.send(new GetAccountSummaryCommand({}), options),
      );
      return SummaryMap?.['AssumeRolePolicySizeQuota'] ?? DEFAULT_POLICY_QUOTA;
    },
  };
}

function roleFrom(found: IamRole | undefined, arn: string): Role {
  const { Arn, RoleId, AssumeRolePolicyDocument } = found ?? {};
  if (Arn === undefined || RoleId === undefined) throw new Fault('transient', `iam:GetRole of role "${arn}" answered without the role`);
  const policy = decodeDocument(AssumeRolePolicyDocument ?? '');
  // An undecodable document is a fact about the role, and the planner's to report: it gets the text as it came.
  return { arn: Arn, roleId: RoleId, policy: isProblem(policy) ? (AssumeRolePolicyDocument ?? '') : policy };
}
