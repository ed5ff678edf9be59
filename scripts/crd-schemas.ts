import { irsaAccountCrd, irsaBindingCrd, irsaGrantCrd } from '../src/api/crds.ts';

type Schema = Record<string, unknown>;
type Crd = typeof irsaBindingCrd;

/**
 * The CRDs as JSON schemas for validators that have no cluster, in the layout of https://github.com/datreeio/CRDs-catalog:
 * GROUP/KIND_VERSION.json. A field that is not known is refused, as `kubectl --validate=strict` does it.
 */
export function crdSchemas(): Record<string, string> {
  return Object.fromEntries([irsaBindingCrd, irsaGrantCrd, irsaAccountCrd].flatMap(schemasOf));
}

function schemasOf({ spec: { group, names, versions } }: Crd): [path: string, text: string][] {
  return versions.map(({ name, schema }) => {
    const closed = { $schema: 'http://json-schema.org/draft-07/schema#', ...(jsonSchema(schema.openAPIV3Schema) as Schema) };
    return [`docs/schema/${group}/${names.kind.toLowerCase()}_${name}.json`, `${JSON.stringify(closed, undefined, 2)}\n`];
  });
}

/** What the API server says in keywords of its own, in those of JSON schema. */
function jsonSchema(value: unknown): unknown {
  if (Array.isArray(value)) return value.map(jsonSchema);
  if (typeof value !== 'object' || value === null) return value;
  const schema = Object.fromEntries(Object.entries(value).map(([key, part]) => [key, jsonSchema(part)]));
  if (schema['x-kubernetes-int-or-string'] === true) return { ...schema, type: ['integer', 'string'] };
  const isOpen = schema['properties'] === undefined || schema['additionalProperties'] !== undefined;
  return isOpen ? schema : { ...schema, additionalProperties: false };
}
