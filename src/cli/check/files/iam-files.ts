import { parseRoleArn, roleArnParts } from '../../../api/arn.ts';
import { Fault } from '../../../api/fault.ts';
import { isProblem } from '../../../api/problem.ts';
import { decodeDocument } from '../../../trust/document/document.ts';
import type { Text } from '../../texts.ts';
import type { IamFile, RoleInFile } from './account.ts';
import { isRaw, type Raw } from './documents.ts';
import { isPlan, planIn } from './terraform.ts';

const WANTED = 'Wanted: the output of "aws iam get-account-authorization-details", or of "terraform show -json PLAN"';

/** Throws `Fault`. */
export function iamFileIn({ file, text }: Text): IamFile {
  let raw: unknown;
  try {
    raw = JSON.parse(text);
  } catch (error) {
    throw new Fault('invalid', `"${file}" is not JSON: ${error instanceof Error ? error.message : String(error)}. ${WANTED}`);
  }
  if (isRaw(raw) && Array.isArray(raw['RoleDetailList']))
    return { file, whole: true, roles: raw['RoleDetailList'].flatMap(roleIn), providers: [] };
  if (isRaw(raw) && isPlan(raw)) return { file, whole: false, ...planIn(raw) };
  throw new Fault('invalid', `"${file}" has no roles. ${WANTED}`);
}

/** An entry of `RoleDetailList`: the CLI has decoded the document, other tools leave it encoded. */
function roleIn(raw: unknown): RoleInFile[] {
  if (!isRaw(raw)) return [];
  const { Arn, RoleId, AssumeRolePolicyDocument: document, Tags } = raw;
  const arn = parseRoleArn(typeof Arn === 'string' ? Arn : '');
  if (isProblem(arn)) return [];
  const { path, name } = roleArnParts(arn);
  const decoded = typeof document === 'string' ? decodeDocument(document) : JSON.stringify(document ?? '');
  // An undecodable document is a fact about the role: it is judged as it came.
  const text = isProblem(decoded) ? String(document) : decoded;
  return [{ path, name, arn, roleId: String(RoleId ?? ''), policy: { text }, tags: new Map(tagsIn(Tags)) }];
}

const tagsIn = (raw: unknown): [string, string][] =>
  (Array.isArray(raw) ? raw : []).filter(isRaw).map(({ Key, Value }: Raw) => [String(Key ?? ''), String(Value ?? '')]);
