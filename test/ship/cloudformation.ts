import { readFileSync } from 'node:fs';
import { parse } from 'yaml';

/** By name, those of CloudFormation itself too: `AWS::Partition`. */
export type Parameters = Readonly<Record<string, string>>;

interface Template {
  readonly Parameters: Readonly<Record<string, { readonly Default?: string; readonly AllowedPattern?: string }>>;
  readonly Conditions?: Readonly<Record<string, unknown>>;
  readonly Resources: Readonly<Record<string, { readonly Properties: object }>>;
}

/** The properties of each resource of a template, by its name, for these parameters. Throws where a parameter is not allowed. */
export function resourcesOf(file: string, given: Parameters): Record<string, unknown> {
  const template = parse(readFileSync(file, 'utf8')) as Template;
  const own = Object.entries(template.Parameters).map(([name, { Default, AllowedPattern = '' }]) => {
    const value = given[name] ?? Default;
    if (value === undefined) throw new Error(`${file}: the parameter ${name} has no value`);
    if (!new RegExp(AllowedPattern).test(value)) throw new Error(`${file}: the parameter ${name} may not be "${value}"`);
    return [name, value];
  });
  const parameters = { ...given, ...Object.fromEntries(own) };
  return Object.fromEntries(
    Object.entries(template.Resources).map(([name, { Properties }]) => [name, resolved(Properties, parameters, template.Conditions ?? {})]),
  );
}

/** What CloudFormation makes of its functions. Undefined: AWS::NoValue. */
function resolved(node: unknown, parameters: Parameters, conditions: Readonly<Record<string, unknown>>): unknown {
  const inner = (value: unknown) => resolved(value, parameters, conditions);
  if (Array.isArray(node)) return node.map(inner).filter((value) => value !== undefined);
  if (typeof node !== 'object' || node === null) return node;
  const [[name = '', value] = []] = Object.entries(node);
  switch (name) {
    case 'Ref':
      return value === 'AWS::NoValue' ? undefined : (parameters[value] ?? `the resource ${value}`);
    case 'Fn::Sub': {
      const [text, own] = Array.isArray(value) ? [value[0], inner(value[1]) as Parameters] : [value, {}];
      return String(text).replaceAll(/\$\{([^}]+)\}/g, (_, of) => ({ ...parameters, ...own })[of] ?? `no ${of}`);
    }
    case 'Fn::Select':
      return (inner(value[1]) as string[])[Number(value[0])];
    case 'Fn::Split':
      return String(inner(value[1])).split(value[0]);
    case 'Fn::Equals':
      return new Set(inner(value) as unknown[]).size === 1;
    case 'Fn::Not':
      return !inner(value[0]);
    case 'Fn::If':
      return inner(inner(conditions[value[0]]) === true ? value[1] : value[2]);
    default:
      return Object.fromEntries(Object.entries(node).map(([key, each]) => [key, inner(each)]));
  }
}
