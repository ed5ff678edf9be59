import { readFileSync } from 'node:fs';
import { stringify } from 'yaml';
import { templates } from './manifests.ts';
import { readme } from './readme.ts';
import { type Field, valuesSchema } from './values.ts';

const FOLDER = 'config/helm/irsa-operator';
const HEADER = '# Generated from config and scripts/chart by `npm run generate`. Do not edit.\n';

/** What a person writes there: the helpers and the notes. All else of the chart is in here, by path. */
export function chart(): Record<string, string> {
  const { version, description } = JSON.parse(readFileSync('package.json', 'utf8')) as { version: string; description: string };
  const schema = valuesSchema();
  const files = {
    'Chart.yaml': HEADER + stringify(manifest(version, description)),
    'values.yaml': HEADER + lines(schema).join('\n'),
    'values.schema.json': `${JSON.stringify(schema, undefined, 2)}\n`,
    'README.md': readme(schema),
    ...Object.fromEntries(Object.entries(templates()).map(([name, text]) => [`templates/${name}`, HEADER + text])),
  };
  return Object.fromEntries(Object.entries(files).map(([name, text]) => [`${FOLDER}/${name}`, text]));
}

/** The annotations are what Artifact Hub shows (https://artifacthub.io/docs/topics/annotations/helm/). */
function manifest(version: string, description: string): object {
  const crds = [
    {
      kind: 'IrsaBinding',
      name: 'irsabindings.irsa-operator.dev',
      displayName: 'Binding',
      description: 'One IAM role for one ServiceAccount.',
    },
    { kind: 'IrsaGrant', name: 'irsagrants.irsa-operator.dev', displayName: 'Grant', description: 'Who may bind which roles.' },
    {
      kind: 'IrsaAccount',
      name: 'irsaaccounts.irsa-operator.dev',
      displayName: 'Account',
      description: 'Another AWS account whose roles may be bound.',
    },
  ];
  return {
    apiVersion: 'v2',
    name: 'irsa-operator',
    description,
    type: 'application',
    version,
    appVersion: version,
    keywords: ['aws', 'eks', 'iam', 'irsa'],
    annotations: {
      'artifacthub.io/category': 'security',
      'artifacthub.io/license': 'Apache-2.0',
      'artifacthub.io/operator': 'true',
      'artifacthub.io/crds': stringify(crds.map((crd) => ({ ...crd, version: 'v1alpha1' }))),
    },
  };
}

/** Each value under what it is for. */
function lines({ properties = {} }: Field, indent = ''): string[] {
  return Object.entries(properties).flatMap(([name, field]) => {
    const about = field.description === undefined ? [] : [`${indent}# ${field.description}`];
    const inside = field.properties === undefined ? [] : lines(field, `${indent}  `);
    const value =
      field.properties === undefined
        ? stringify({ [name]: field.default })
            .trimEnd()
            .split('\n')
        : [`${name}:`];
    return [...about, ...value.map((line) => indent + line), ...inside, ...(indent === '' ? [''] : [])];
  });
}
