import type { Operation } from '../operation.ts';
import { addClientId, createProvider, deleteProvider, getProvider, listProviders } from './providers.ts';
import { listRoleTags, tagRole, untagRole } from './role-tags.ts';
import { createRole, deleteRole, getRole, listRoles, updateAssumeRolePolicy } from './roles.ts';
import { getAccountSummary } from './summary.ts';

export const IAM_OPERATIONS: ReadonlyMap<string, Operation> = new Map([
  ['CreateRole', createRole],
  ['GetRole', getRole],
  ['ListRoles', listRoles],
  ['UpdateAssumeRolePolicy', updateAssumeRolePolicy],
  ['DeleteRole', deleteRole],
  ['TagRole', tagRole],
  ['UntagRole', untagRole],
  ['ListRoleTags', listRoleTags],
  ['GetAccountSummary', getAccountSummary],
  ['CreateOpenIDConnectProvider', createProvider],
  ['GetOpenIDConnectProvider', getProvider],
  ['ListOpenIDConnectProviders', listProviders],
  ['AddClientIDToOpenIDConnectProvider', addClientId],
  ['DeleteOpenIDConnectProvider', deleteProvider],
]);
