import { bindingSpec, parseBindingSpec } from '../../../src/api/binding.ts';
import { irsaBindingCrd, irsaGrantCrd } from '../../../src/api/crds.ts';
import { parseGrantSpec } from '../../../src/api/grant.ts';
import { isProblem } from '../../../src/api/problem.ts';

/** What of an OpenAPI schema the sweep walks by. */
interface Schema {
  readonly type?: string;
  readonly enum?: readonly string[];
  readonly properties?: Readonly<Record<string, Schema>>;
  readonly required?: readonly string[];
  readonly items?: Schema;
  readonly additionalProperties?: Schema;
  readonly minimum?: number;
  readonly maximum?: number;
  readonly minLength?: number;
  readonly maxLength?: number;
  readonly minItems?: number;
  readonly maxItems?: number;
  readonly 'x-kubernetes-int-or-string'?: boolean;
  readonly 'x-kubernetes-validations'?: readonly { readonly rule: string }[];
}
export type Kind = 'IrsaBinding' | 'IrsaGrant';
export type Spec = Readonly<Record<string, unknown>>;

/** One field of one CRD, found in the schema that the API server has: a new one is swept without a word here. */
export interface Field {
  readonly kind: Kind;
  /** Below `spec`. */
  readonly path: readonly string[];
  readonly schema: Schema;
  readonly isRequired: boolean;
  /** The API server takes no other value than the first. */
  readonly isImmutable: boolean;
}

const CRDS = { IrsaBinding: irsaBindingCrd, IrsaGrant: irsaGrantCrd };

export function fieldsOf(kind: Kind): Field[] {
  const [version] = CRDS[kind].spec.versions;
  const properties = version?.schema.openAPIV3Schema.properties as { spec: Schema } | undefined;
  return leaves(kind, properties?.spec ?? {}, [], true);
}

function leaves(kind: Kind, schema: Schema, path: readonly string[], isRequired: boolean): Field[] {
  if (schema.properties !== undefined) {
    const { properties, required = [] } = schema;
    return Object.entries(properties).flatMap(([name, inner]) =>
      leaves(kind, inner, [...path, name], isRequired && required.includes(name)),
    );
  }
  const isImmutable = (schema['x-kubernetes-validations'] ?? []).some(({ rule }) => rule === 'self == oldSelf');
  return [{ kind, path, schema, isRequired, isImmutable }];
}

/** Everything that may be tried in a field, whether it is allowed or not: the edges of each bound and one beyond, and values of other types. */
export function candidates(schema: Schema, usual: unknown): unknown[] {
  const all = [...byBounds(schema, usual), 7, 'a text', true, ['a', 'list'], { an: 'object' }];
  return all.filter((value, at) => all.findIndex((other) => JSON.stringify(other) === JSON.stringify(value)) === at);
}

function byBounds(schema: Schema, usual: unknown): unknown[] {
  if (schema['x-kubernetes-int-or-string']) return [0, 1, 1_000, 1_001, '0%', '25%', '100%', '101%', '%', ''];
  if (schema.enum !== undefined) return [...schema.enum, `${schema.enum[0]?.toLowerCase()}`, ''];
  switch (schema.type) {
    case 'boolean':
      return [true, false, 'true'];
    case 'integer': {
      const { minimum: least = 0, maximum: most = 1_000 } = schema;
      return [least - 1, least, Math.floor((least + most) / 2), most, most + 1, least + 0.5];
    }
    case 'array':
      return lists(schema, Array.isArray(usual) ? usual : []);
    case 'object':
      return maps(schema.additionalProperties ?? {}, usual as Readonly<Record<string, string>> | undefined);
    default:
      return texts(schema, typeof usual === 'string' ? usual : 'a');
  }
}

function texts({ minLength = 0, maxLength = 64 }: Schema, usual: string): string[] {
  const ofLength = (length: number) => usual.padEnd(length, 'a').slice(-Math.max(0, length));
  const long = (length: number) => usual + 'a'.repeat(Math.max(0, length - usual.length));
  return [
    usual,
    `${usual}-2`,
    ...[minLength - 1, minLength, minLength + 1].filter((length) => length >= 0).map(ofLength),
    ...[maxLength, maxLength + 1].map(long),
    ...[`${usual} `, ` ${usual}`, usual.toUpperCase(), `${usual}\n`, `${usual}*`, `${usual}?`, `${usual}é`, usual.replace('a', 'а')],
  ];
}

function lists({ items = {}, minItems = 0, maxItems = 16 }: Schema, usual: readonly unknown[]): unknown[][] {
  const [first = 'a'] = usual;
  const many = (length: number) => Array.from({ length }, (_, at) => `${String(first).replaceAll('*', '')}${at}`);
  const sizes = [minItems - 1, minItems, maxItems, maxItems + 1].filter((length) => length >= 0);
  return [[...usual], ...sizes.map(many), ...byBounds(items, first).map((item) => [item])];
}

function maps(values: Schema, usual: Readonly<Record<string, string>> = { team: 'sweep' }): Record<string, unknown>[] {
  const [name = 'team'] = Object.keys(usual);
  return [usual, {}, ...byBounds(values, 'a').map((value) => ({ [name]: value })), { '': 'a' }, { [`${name}${'a'.repeat(400)}`]: 'a' }];
}

/** Whether the parser of the operator takes it: what the API server takes and this does not is reported, and never acted on. */
export function isReadable(kind: Kind, spec: Spec): boolean {
  return !isProblem(kind === 'IrsaBinding' ? parseBindingSpec(spec) : parseGrantSpec(spec));
}

/** What a binding says of itself when nothing but what is required is said. */
export function withDefaults(spec: Spec): ReturnType<typeof bindingSpec.parse> {
  return bindingSpec.parse(spec);
}

export function valueAt(spec: Spec, path: readonly string[]): unknown {
  return path.reduce<unknown>((node, name) => (node as Spec | undefined)?.[name], spec);
}

/** The spec with another value in this field; without the field where the value is undefined. */
export function withValue(spec: Spec, [name = '', ...rest]: readonly string[], value: unknown): Spec {
  const { [name]: before, ...others } = spec;
  const inner = rest.length === 0 ? value : withValue((before ?? {}) as Spec, rest, value);
  return inner === undefined ? others : { ...others, [name]: inner };
}
