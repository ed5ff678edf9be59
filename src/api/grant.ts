import * as z from 'zod';
import { ROLE_ARN_MAX_LENGTH, roleArnRules, WILDCARD, wrongRolePattern } from './arn.ts';
import { STS_AUDIENCE } from './names.ts';
import { type Problem, problem } from './problem.ts';
import { audience, cel, limited, limitedMap, sentenceOf, text } from './schema.ts';

/** Kubernetes: a prefix, a slash and a name. */
const LABEL_KEY = {
  name: 'the label key',
  most: 253 + 1 + 63,
  by: 'Kubernetes',
  pattern: /^([a-z0-9]([-a-z0-9.]*[a-z0-9])?\/)?[A-Za-z0-9]([-A-Za-z0-9_.]*[A-Za-z0-9])?$/,
  allowed: 'letters, digits, "-", "_" and ".", after a DNS name and "/" if there is one',
} as const;
const LABEL_VALUE = {
  name: 'the value of the label',
  mayBeEmpty: true,
  most: 63,
  by: 'Kubernetes',
  pattern: /^([A-Za-z0-9]([-A-Za-z0-9_.]*[A-Za-z0-9])?)?$/,
  allowed: 'letters, digits, "-", "_" and ".", with a letter or a digit at both ends',
} as const;
/** More than anybody selects by: the API server asks for a bound. */
const MOST_LABELS = 64;

/** IAM: a role has 50 tags at most (https://docs.aws.amazon.com/IAM/latest/UserGuide/reference_iam-quotas.html). */
const MOST_TAGS = 50;
const TAG_KEY = {
  name: 'the tag key',
  most: 128,
  by: 'IAM',
  pattern: /^[\p{L}\p{Z}\p{N}_.:/=+\-@]+$/u,
  allowed: 'letters, digits, blanks and "_.:/=+-@"',
} as const;
const TAG_VALUE = {
  name: 'the value of the tag',
  mayBeEmpty: true,
  most: 256,
  by: 'IAM',
  pattern: /^[\p{L}\p{Z}\p{N}_.:/=+\-@]*$/u,
  allowed: 'letters, digits, blanks and "_.:/=+-@"',
} as const;

const selector = z
  .object({
    matchLabels: limitedMap(LABEL_KEY, limited(LABEL_VALUE, 'The value that the label must have.'), MOST_LABELS).describe(
      'Labels and their values. At least one.',
    ),
  })
  .meta(cel(['size(self.matchLabels) > 0', 'an empty selector would select every namespace. Name at least one label']));

const namespaces = z
  .object({
    names: z
      .array(
        limited(
          {
            name: 'the name of the namespace',
            most: 63,
            by: 'Kubernetes',
            pattern: /^[a-z0-9]([-a-z0-9]*[a-z0-9])?$/,
            allowed: 'lower-case letters, digits and "-", with a letter or a digit at both ends',
          },
          'The name of a namespace.',
        ),
      )
      .max(256)
      .describe('Namespaces by name. Default: none. Example: ["shop", "payments"].')
      .optional(),
    selector: selector
      .describe('Namespaces by their labels: a namespace must have all of them. Default: none. Example: {"matchLabels": {"team": "shop"}}.')
      .optional(),
  })
  .meta(
    cel([
      '(has(self.names) && size(self.names) > 0) || has(self.selector)',
      'name namespaces, or give a selector: a grant without a namespace grants nothing',
    ]),
  );

/** Far more than a namespace needs, and a number that every client can carry. */
const MOST = 100_000;

const limits = z.object({
  bindingsPerNamespace: z
    .int()
    .min(1)
    .max(MOST)
    .describe('How many bindings of a namespace this grant authorizes. The older ones come first. Default: no limit. Example: 20.')
    .optional(),
  subjectsPerNamespace: z
    .int()
    .min(1)
    .max(MOST)
    .describe(
      'How many ServiceAccounts of a namespace the statement of irsa-operator in one role may have for this grant to add another. Default: no limit. Example: 5.',
    )
    .optional(),
});

export const grantSpec = z.object({
  roleArns: z
    .array(
      text({
        most: ROLE_ARN_MAX_LENGTH,
        description: 'The ARN of a role. "*" is any characters except "/".',
        rules: roleArnRules(
          'roleArns has ARNs of roles, for example arn:aws:iam::111122223333:role/team/*. Partition and account have no wildcard',
          WILDCARD,
        ),
        wrong: wrongRolePattern,
      }),
    )
    .min(1)
    .max(64)
    .describe(
      'The roles that may be bound, each an ARN with "*" for any characters except "/". The account has no wildcard. Example: ["arn:aws:iam::111122223333:role/team/*"].',
    ),
  namespaces: namespaces.describe(
    'The namespaces whose bindings this grant covers: those in names and those that the selector matches. At least one of the two is needed.',
  ),
  serviceAccountNames: z
    .array(
      limited(
        {
          name: 'the name in serviceAccountNames',
          most: 253,
          by: 'Kubernetes',
          pattern: /^[a-z0-9*]([-a-z0-9.*]*[a-z0-9*])?$/,
          allowed: 'lower-case letters, digits, "-", "." and "*"',
        },
        'The name of a ServiceAccount. "*" is any characters.',
      ),
    )
    .min(1)
    .max(256)
    .describe('The ServiceAccounts that may be bound, by name. "*" is any characters. Example: ["web", "worker-*"].'),
  audiences: z
    .array(audience('An audience.'))
    .min(1)
    .max(16)
    .default([STS_AUDIENCE])
    .describe('The audiences that a binding may set in spec.audience. Default: ["sts.amazonaws.com"].'),
  requiredRoleTags: limitedMap(TAG_KEY, limited(TAG_VALUE, 'The value that the tag must have.'), MOST_TAGS)
    .default({})
    .describe(
      'Tags that the role must have in IAM: how the owner of a role agrees. Default: none. Example: {"irsa-operator/allowed": "true"}.',
    ),
  allowVerification: z
    .boolean()
    .default(false)
    .describe('Whether irsa-operator may request tokens of these ServiceAccounts, for spec.verification of a binding. Default: false.'),
  limits: limits
    .describe('How much of this grant one namespace can use. A limit stops what is new. It never revokes anything. Default: no limits.')
    .optional(),
});

export type GrantSpec = z.output<typeof grantSpec>;

export interface IrsaGrant {
  readonly name: string;
  readonly uid: string;
  readonly generation: number;
  readonly spec: GrantSpec | Problem;
  /** What the annotation `irsa-operator.dev/revocation-confirmed` says: epoch milliseconds; undefined where it is no time. */
  readonly revocationConfirmedAt: number | undefined;
}

/** zod's records drop this key without a word, and a condition that is dropped makes a grant wider. */
const LOST_KEY = '__proto__';

export function parseGrantSpec(input: unknown): GrantSpec | Problem {
  const lost = mapWithLostKey(input);
  if (lost !== undefined) return problem(`spec.${lost}: the key "${LOST_KEY}" cannot be compared, so this grants nothing. Remove it`);
  const parsed = grantSpec.safeParse(input);
  if (!parsed.success) return problem(sentenceOf(parsed.error));
  const { names, selector: byLabel } = parsed.data.namespaces;
  // CEL says the same to the API server; an object stored before the rule existed must still grant nothing.
  if (byLabel !== undefined && Object.keys(byLabel.matchLabels).length === 0) return problem('spec.namespaces.selector: it is empty');
  if (byLabel === undefined && (names === undefined || names.length === 0)) return problem('spec.namespaces: neither names nor a selector');
  return parsed.data;
}

function mapWithLostKey(input: unknown): string | undefined {
  const maps = [['requiredRoleTags'], ['namespaces', 'selector', 'matchLabels']];
  const found = maps.find((path) => {
    const map = path.reduce<unknown>((node, name) => (isObject(node) && Object.hasOwn(node, name) ? node[name] : undefined), input);
    return isObject(map) && Object.hasOwn(map, LOST_KEY);
  });
  return found?.join('.');
}

function isObject(value: unknown): value is Record<string, unknown> {
  return typeof value === 'object' && value !== null;
}
