import { z } from 'zod';
import { PARTITIONS, ROLE_ARN_MAX_LENGTH } from './arn.ts';
import { STS_AUDIENCE } from './names.ts';
import { type Problem, problem } from './problem.ts';
import { audience, cel, sentenceOf } from './schema.ts';

/** `*` stands for any run of characters but `/`; partition and account are always literal. */
export const ROLE_ARN_GLOB = `^arn:(${PARTITIONS.join('|')}):iam::([0-9]{12}):role/([A-Za-z0-9+=,.@_*-]+/)*[A-Za-z0-9+=,.@_*-]+$`;

const labelValue = z
  .string()
  .max(63)
  .regex(/^([A-Za-z0-9]([-A-Za-z0-9_.]*[A-Za-z0-9])?)?$/);

const selector = z
  .object({ matchLabels: z.record(z.string().min(1).max(316), labelValue) })
  .meta(cel('size(self.matchLabels) > 0', 'an empty selector would select every namespace; name at least one label'));

const namespaces = z
  .object({
    names: z
      .array(
        z
          .string()
          .min(1)
          .max(63)
          .regex(/^[a-z0-9]([-a-z0-9]*[a-z0-9])?$/),
      )
      .max(256)
      .optional(),
    selector: selector.optional(),
  })
  .meta(
    cel(
      '(has(self.names) && size(self.names) > 0) || has(self.selector)',
      'name namespaces, or give a selector: a grant for no namespace says nothing',
    ),
  );

export const grantSpec = z.object({
  roleArns: z
    .array(z.string().min(1).max(ROLE_ARN_MAX_LENGTH).regex(new RegExp(ROLE_ARN_GLOB)))
    .min(1)
    .max(64)
    .describe('Roles that may be bound. "*" never crosses "/"; the account is always literal.'),
  namespaces: namespaces.describe('Namespaces whose bindings this covers: by name, by label, or both (either suffices).'),
  serviceAccountNames: z
    .array(
      z
        .string()
        .min(1)
        .max(253)
        .regex(/^[a-z0-9*]([-a-z0-9.*]*[a-z0-9*])?$/),
    )
    .min(1)
    .max(256)
    .describe('Names of ServiceAccounts; "*" stands for any run of characters.'),
  audiences: z.array(audience('An audience that a binding may ask for.')).min(1).max(16).default([STS_AUDIENCE]),
  requiredRoleTags: z
    .record(z.string().min(1).max(128), z.string().max(256))
    .default({})
    .describe('Tags that the role itself must carry: the consent of its owner.'),
  allowVerification: z
    .boolean()
    .default(false)
    .describe('Whether the operator may ask for tokens of these ServiceAccounts, to prove by STS that the role lets them in.'),
});

export type GrantSpec = z.output<typeof grantSpec>;

export interface IrsaGrant {
  readonly name: string;
  readonly spec: GrantSpec | Problem;
  /** What the annotation `irsa-operator.dev/revocation-confirmed` says: epoch milliseconds; undefined where it is no time. */
  readonly revocationConfirmedAt: number | undefined;
}

/** zod's records drop this key without a word, and a condition that is dropped makes a grant wider. */
const LOST_KEY = '__proto__';

export function parseGrantSpec(input: unknown): GrantSpec | Problem {
  const lost = mapWithLostKey(input);
  if (lost !== undefined) return problem(`spec.${lost}: the key "${LOST_KEY}" cannot be compared, so this grants nothing; remove it`);
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
