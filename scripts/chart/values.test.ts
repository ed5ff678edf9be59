import { globSync, readFileSync } from 'node:fs';
import { Ajv } from 'ajv';
import { expect, test } from 'vitest';
import { parse } from 'yaml';
import { type Field, values, valuesSchema } from './values.ts';

/** The chart without Helm: its values, its schema and what its templates read of them. `make ship` renders it. */
const FOLDER = 'config/helm/irsa-operator';
const read = (name: string) => readFileSync(`${FOLDER}/${name}`, 'utf8');
const defaults = parse(read('values.yaml')) as Record<string, unknown>;

/** `image.tag`, and `podLabels` as a whole. */
function paths({ properties = {} }: Field, prefix = ''): string[] {
  return Object.entries(properties).flatMap(([name, field]) =>
    field.properties === undefined ? [prefix + name] : paths(field, `${prefix}${name}.`),
  );
}
const PATHS = paths(valuesSchema());

test('the values that ship are what the schema takes, and nothing is left out', () => {
  const valid = new Ajv({ strict: false }).compile(valuesSchema());
  expect([valid(defaults), valid.errors]).toEqual([true, null]);
  expect(values.parse(defaults)).toEqual(defaults);
  expect(paths(JSON.parse(read('values.schema.json')) as Field)).toEqual(PATHS);
});

test('what the schema does not know is refused, but among the global values', () => {
  const valid = new Ajv({ strict: false }).compile(valuesSchema());
  const groups = Object.entries(valuesSchema().properties ?? {}).filter(
    ([name, { properties }]) => properties !== undefined && name !== 'global',
  );
  expect(groups.length).toBeGreaterThan(5);
  for (const wrong of [{ unknown: 1 }, ...groups.map(([name]) => ({ [name]: { unknown: 1 } }))])
    expect(valid(wrong), JSON.stringify(wrong)).toBe(false);
  expect(valid({ global: { unknown: 1 } })).toBe(true);
});

test('templates read the values of the schema, all of them and no others', () => {
  const text = globSync(`${FOLDER}/templates/*`)
    .map((path) => readFileSync(path, 'utf8'))
    .join('\n');
  const found = new Set([...text.matchAll(/\.Values\)?\.([A-Za-z.]+)/g)].map(([, path]) => path ?? ''));
  // `global` may be missing where the chart is part of another, so it is read by itself.
  expect([...found].map((path) => (path === 'global' ? 'global.imageRegistry' : path)).sort()).toEqual([...PATHS].sort());
});

test('every value has a sentence of its own, in values.yaml and in the README', () => {
  for (const path of PATHS) expect(read('README.md')).toContain(`| \`${path}\` |`);
  const commented = read('values.yaml').split('\n');
  const without = commented.filter(
    (line, at) =>
      /^ *[a-zA-Z]+:/.test(line) &&
      PATHS.some((path) => path.split('.').at(-1) === line.trim().split(':')[0]) &&
      !/^ *#/.test(commented[at - 1] ?? ''),
  );
  expect(without.filter((line) => !/^ {4}/.test(line))).toEqual([]);
});
