import { invalidInput, limitExceeded } from '../aws-error.ts';
import { type Answer, accountOfCaller, type Operation } from '../operation.ts';
import { list, tagsOf } from '../params.ts';
import { changeRole } from '../world.ts';
import { page } from './page.ts';
import { roleByName } from './role-lookup.ts';

/** Tags that one role can have (IAM user guide, "IAM and AWS STS quotas"). */
const MAX_TAGS = 50;

export const tagRole: Operation = (call) => {
  const role = roleByName(call);
  const wanted = tagsOf(call.params);
  for (const key of wanted.keys())
    if (key.toLowerCase().startsWith('aws:')) throw invalidInput('The tag prefix aws: is reserved for use by AWS.');
  if (new Set([...role.tags.keys(), ...wanted.keys()]).size > MAX_TAGS) throw limitExceeded('TagsPerRole', MAX_TAGS);
  changeRole(accountOfCaller(call), { ...role, tags: new Map([...role.tags, ...wanted]) });
  return undefined;
};

export const untagRole: Operation = (call) => {
  const role = roleByName(call);
  const gone = new Set(list(call.params, 'TagKeys'));
  changeRole(accountOfCaller(call), { ...role, tags: new Map([...role.tags].filter(([key]) => !gone.has(key))) });
  return undefined;
};

export const listRoleTags: Operation = (call) => {
  const { items, next } = page(call.params, [...roleByName(call).tags], ([key]) => key);
  return { Tags: tagList(new Map(items)), ...next };
};

export function tagList(tags: ReadonlyMap<string, string>): Answer[] {
  return [...tags].map(([Key, Value]) => ({ Key, Value }));
}
