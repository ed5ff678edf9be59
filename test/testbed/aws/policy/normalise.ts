import { type Json, type JsonObject, listOf } from './json.ts';

const STATEMENT_ORDER = ['Sid', 'Effect', 'Principal', 'Action', 'NotAction', 'Condition'];
const POLICY_ORDER = ['Version', 'Id', 'Statement'];

/**
 * The same policy, otherwise written. IAM keeps the meaning and not the text: it is known to reorder principals and condition keys and to
 * write a list of one as the value. Here everything that is a set is reversed, so whatever was sent with more than one member comes back
 * different, each time: who compares text will never come to rest.
 */
export function normalise(policy: JsonObject): JsonObject {
  const ordered = reorder(policy, POLICY_ORDER);
  const statements = policy.get('Statement');
  return ordered.set('Statement', Array.isArray(statements) ? statements.map(normaliseStatement) : normaliseStatement(statements ?? null));
}

function normaliseStatement(statement: Json): Json {
  if (!(statement instanceof Map)) return statement;
  const normal = reorder(statement, STATEMENT_ORDER);
  for (const name of ['Action', 'NotAction']) {
    const actions = statement.get(name);
    if (actions !== undefined) normal.set(name, set(actions));
  }
  const principal = statement.get('Principal');
  if (principal instanceof Map) normal.set('Principal', reversed(principal, set));
  const condition = statement.get('Condition');
  if (condition instanceof Map)
    normal.set(
      'Condition',
      reversed(condition, (keys) => (keys instanceof Map ? reversed(keys, conditionValues) : keys)),
    );
  return normal;
}

function reorder(object: JsonObject, order: readonly string[]): JsonObject {
  return new Map(order.flatMap((name) => (object.has(name) ? [[name, object.get(name) ?? null]] : [])));
}

function reversed(object: JsonObject, map: (value: Json) => Json): JsonObject {
  return new Map([...object].reverse().map(([name, value]) => [name, map(value)]));
}

function set(values: Json): Json {
  const items = listOf(values).toReversed();
  return items.length === 1 ? (items[0] ?? null) : items;
}

/** `true` and `5` are stored as texts. */
function conditionValues(values: Json): Json {
  return set(listOf(values).map(String));
}
