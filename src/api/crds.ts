import * as z from 'zod';
import { ACCOUNT_RULES, accountSpec, accountStatus } from './account.ts';
import { bindingSpec, bindingStatus } from './binding.ts';
import { grantSpec } from './grant.ts';
import { GROUP, VERSION } from './names.ts';
import { type CelRule, cel } from './schema.ts';

type Schema = Record<string, unknown>;

/** A zod schema as the API server takes it: OpenAPI 3.0, input side (so that fields with a default are optional). */
function openApi(schema: z.ZodType): Schema {
  const json = z.toJSONSchema(schema, {
    target: 'openapi-3.0',
    io: 'input',
    override: ({ jsonSchema }) => {
      // A structural schema knows no union: int-or-string says it, and CEL bounds it.
      if (jsonSchema['x-kubernetes-int-or-string']) delete jsonSchema.anyOf;
      // Closed objects are the API server's own habit (pruning); the keyword is refused beside `properties`.
      if (jsonSchema.properties) delete jsonSchema.additionalProperties;
      // Names of a map cannot be constrained by a structural schema; the parser does.
      delete jsonSchema.propertyNames;
      if (typeof jsonSchema.maximum === 'number' && jsonSchema.maximum > 2 ** 31) delete jsonSchema.maximum;
      if (typeof jsonSchema.minimum === 'number' && jsonSchema.minimum < -(2 ** 31)) delete jsonSchema.minimum;
    },
  });
  const { $schema: _, ...rest } = json;
  return rest;
}

interface Column {
  readonly name: string;
  readonly type: 'string' | 'date' | 'integer';
  readonly jsonPath: string;
  readonly priority?: number;
}

function crd(
  names: { kind: string; plural: string; singular: string; shortNames: string[] },
  scope: string,
  properties: Schema,
  columns: Column[],
  description: string,
  status: boolean,
  rules: readonly CelRule[] = [],
) {
  return {
    apiVersion: 'apiextensions.k8s.io/v1',
    kind: 'CustomResourceDefinition',
    metadata: { name: `${names.plural}.${GROUP}` },
    spec: {
      group: GROUP,
      scope,
      names: { ...names, listKind: `${names.kind}List`, categories: ['irsa', 'aws'] },
      versions: [
        {
          name: VERSION,
          served: true,
          storage: true,
          ...(status ? { subresources: { status: {} } } : {}),
          additionalPrinterColumns: columns,
          schema: {
            openAPIV3Schema: {
              description,
              type: 'object',
              required: ['spec'],
              properties: { apiVersion: { type: 'string' }, kind: { type: 'string' }, metadata: { type: 'object' }, ...properties },
              ...(rules.length > 0 && cel(...rules)),
            },
          },
        },
      ],
    },
  };
}

/**
 * Of no spec: so long as it is there, kstatus says InProgress, and a client that waits does not take a new binding for done. Flux does the same
 * (https://github.com/kubernetes-sigs/cli-utils/blob/master/pkg/kstatus/README.md: a resource whose status is of an older generation).
 */
const NOT_RECONCILED_YET = { observedGeneration: -1 };

const condition = (type: string, field: string) => `.status.conditions[?(@.type=="${type}")].${field}`;

export const irsaBindingCrd = crd(
  { kind: 'IrsaBinding', plural: 'irsabindings', singular: 'irsabinding', shortNames: ['irsab'] },
  'Namespaced',
  {
    spec: { description: 'The role, the ServiceAccount, and how irsa-operator connects them.', ...openApi(bindingSpec) },
    status: {
      description: 'What irsa-operator found and did. Only irsa-operator writes it.',
      default: NOT_RECONCILED_YET,
      ...openApi(bindingStatus),
    },
  },
  [
    { name: 'Ready', type: 'string', jsonPath: condition('Ready', 'status') },
    { name: 'Reason', type: 'string', jsonPath: condition('Ready', 'reason') },
    { name: 'ServiceAccount', type: 'string', jsonPath: '.spec.serviceAccountName' },
    { name: 'Role', type: 'string', jsonPath: '.spec.roleArn' },
    { name: 'Pods', type: 'string', jsonPath: '.status.pods.summary' },
    { name: 'Policy', type: 'string', jsonPath: '.status.trustPolicy.summary', priority: 1 },
    { name: 'Mode', type: 'string', jsonPath: '.spec.mode', priority: 1 },
    { name: 'Age', type: 'date', jsonPath: '.metadata.creationTimestamp' },
  ],
  'An IrsaBinding gives one IAM role to one ServiceAccount. irsa-operator keeps the trust policy of the role, the annotations of the ServiceAccount and its running pods in agreement. It acts only where an IrsaGrant covers the binding.',
  true,
);

export const irsaGrantCrd = crd(
  { kind: 'IrsaGrant', plural: 'irsagrants', singular: 'irsagrant', shortNames: ['irsag'] },
  'Cluster',
  {
    spec: { description: 'What the grant allows. All four must match: role, namespace, ServiceAccount, audience.', ...openApi(grantSpec) },
  },
  [
    { name: 'Roles', type: 'string', jsonPath: '.spec.roleArns' },
    { name: 'ServiceAccounts', type: 'string', jsonPath: '.spec.serviceAccountNames' },
    { name: 'Age', type: 'date', jsonPath: '.metadata.creationTimestamp' },
  ],
  'An IrsaGrant allows IrsaBindings: which roles, for which namespaces, ServiceAccounts and audiences. The platform team writes it. irsa-operator only reads it.',
  false,
);

export const irsaAccountCrd = crd(
  { kind: 'IrsaAccount', plural: 'irsaaccounts', singular: 'irsaaccount', shortNames: ['irsaacc'] },
  'Cluster',
  {
    spec: { description: 'How irsa-operator gets into the account.', ...openApi(accountSpec) },
    status: {
      description: 'What irsa-operator found. Only irsa-operator writes it.',
      default: NOT_RECONCILED_YET,
      ...openApi(accountStatus),
    },
  },
  [
    { name: 'Ready', type: 'string', jsonPath: condition('Ready', 'status') },
    { name: 'Reason', type: 'string', jsonPath: condition('Ready', 'reason') },
    { name: 'Role', type: 'string', jsonPath: '.spec.roleArn' },
    { name: 'Age', type: 'date', jsonPath: '.metadata.creationTimestamp' },
  ],
  'An IrsaAccount is an AWS account whose roles may be bound, beside the own account of irsa-operator. Its name is the account. The platform team writes it.',
  true,
  ACCOUNT_RULES,
);
