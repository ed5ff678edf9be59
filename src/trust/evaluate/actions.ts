import { WEB_IDENTITY_ACTION } from '../../api/names.ts';
import { asList, member } from '../document/document.ts';
import type { JsonNode, ObjectNode } from '../document/json.ts';
import { fold, like } from './text.ts';
import { any, not, type Truth, unknown } from './truth.ts';

/** Whether a statement is about `sts:AssumeRoleWithWebIdentity`. Case does not matter, `*` and `?` are wildcards (https://docs.aws.amazon.com/IAM/latest/UserGuide/reference_policies_elements_action.html). */
export function actionMatches(statement: ObjectNode): Truth {
  const action = member(statement, 'Action');
  const excluded = member(statement, 'NotAction');
  if (action !== undefined && excluded !== undefined) return unknown('it has both "Action" and "NotAction"');
  if (action !== undefined) return matchesAny(action);
  return excluded === undefined ? unknown('it has no "Action"') : not(matchesAny(excluded));
}

function matchesAny(action: JsonNode): Truth {
  return any(
    asList(action).map((item) =>
      item.kind === 'string' ? like(fold(item.value), fold(WEB_IDENTITY_ACTION)) : unknown(`its action is a JSON ${item.kind}`),
    ),
  );
}
