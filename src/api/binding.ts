import { z } from 'zod';
import { parseRoleArn, ROLE_ARN_MAX_LENGTH, ROLE_ARN_PATTERN, type RoleArn } from './arn.ts';
import { CONDITION_STATUSES, CONDITION_TYPES, type Condition } from './condition.ts';
import { FINDINGS, type FindingCode } from './finding.ts';
import { ANNOTATIONS, STS_AUDIENCE } from './names.ts';
import { isProblem, type Problem, problem } from './problem.ts';
import { audience, cel, dnsName, immutable, sentenceOf, uid } from './schema.ts';

/** A number of pods, or a percentage of the workload's pods. The union cannot be written in a CRD: its schema says int-or-string and CEL bounds it. */
const intOrPercent = z.union([z.int().min(1).max(1000), z.string().regex(/^(100|[1-9][0-9]?)%$/)]).meta({
  description:
    'How many ready pods of one workload may be away at once: a number, or a percentage that is rounded up. At least one, or nothing could ever be restarted: as a Deployment without surge takes no 0 either.',
  'x-kubernetes-int-or-string': true,
  ...cel(
    'type(self) == int ? self >= 1 && self <= 1000 : self.matches("^(100|[1-9][0-9]?)%$")',
    'maxUnavailable is a number from 1 to 1000 or a percentage from "1%" to "100%"; for no restarts at all set restart.strategy to Never',
  ),
});

/** The API server gives no token for less than ten minutes (TokenRequest); EKS, and the webhook by default, for no more than a day. */
export const MIN_TOKEN_SECONDS = 600;
const MAX_TOKEN_SECONDS = 86_400;
/** As long as the name of an object: room for any time, counter or UUID. */
const MAX_REQUEST = 253;

const restart = z.object({
  strategy: z
    .enum(['Evict', 'Rollout', 'Never'])
    .default('Evict')
    .describe(
      'How pods that lack the role are restarted: one by one by the Eviction API; by their workload, whose template gets an annotation (needs config/rollout); or not at all.',
    ),
  afterTrustRepair: z
    .enum(['Unready', 'Always', 'Never'])
    .default('Unready')
    .describe('Which pods are restarted when only the trust policy was mended: those that are not ready, all, or none.'),
  maxUnavailable: intOrPercent.default(1),
});

export const bindingSpec = z.object({
  serviceAccountName: dnsName('The ServiceAccount, in the namespace of the binding.', immutable('serviceAccountName')),
  roleArn: z
    .string()
    .min(1)
    .max(ROLE_ARN_MAX_LENGTH)
    .meta({
      description: 'The ARN of the role, with its path.',
      ...cel(
        `self.matches('${ROLE_ARN_PATTERN.replaceAll('\\', '\\\\')}')`,
        'roleArn is the ARN of one role, for example arn:aws:iam::111122223333:role/team/app',
      ),
    }),
  mode: z
    .enum(['Enforce', 'Observe'])
    .default('Enforce')
    .describe('Observe reports what would change, in status.plan, and changes nothing.'),
  audience: audience('The audience of the token, as the role and the provider expect it.').default(STS_AUDIENCE),
  tokenExpirationSeconds: z
    .int()
    .min(MIN_TOKEN_SECONDS)
    .max(MAX_TOKEN_SECONDS)
    .describe("How long the pods' token is valid: eks.amazonaws.com/token-expiration. Without it that annotation is left alone.")
    .optional(),
  stsRegionalEndpoints: z
    .boolean()
    .describe(
      'Whether the SDKs call the STS of their region: eks.amazonaws.com/sts-regional-endpoints. Without it that annotation is left alone.',
    )
    .optional(),
  trustPolicy: z
    .enum(['Managed', 'External'])
    .default('Managed')
    .describe('External: somebody else writes the trust policy, it is only checked.'),
  restart: restart.prefault({}),
  deletionPolicy: z
    .enum(['Revoke', 'Retain'])
    .default('Revoke')
    .describe('Retain leaves trust and annotation as they are when the binding is deleted.'),
  suspend: z.boolean().default(false).describe('Leaves everything as it stands; only the status is written.'),
  verification: z
    .enum(['Never', 'OnChange', 'Periodic'])
    .default('Never')
    .describe(
      'Prove by a real call of STS that the role lets the ServiceAccount in, where the grant allows it: when something changed, also once a day, or not at all.',
    ),
});

const condition = z.object({
  type: z.enum(CONDITION_TYPES),
  status: z.enum(CONDITION_STATUSES),
  observedGeneration: z.int(),
  lastTransitionTime: z.string().meta({ format: 'date-time' }),
  reason: z.string().max(1024),
  message: z.string().max(32_768),
});

const roleEntry = z.object({
  arn: z.string().max(ROLE_ARN_MAX_LENGTH),
  roleId: z.string().max(128).describe('The unique ID of the role that was meant: a role that was deleted and made again has another.'),
  audience: audience('The audience that the trust was for: a binding that changes its audience leaves the former one.'),
  sid: z.string().max(64).describe('The Sid of our statement. It is computed, never read from here.'),
});

const verification = z.object({
  of: z.string().max(64).describe('Stands for what was proved: the role, the token, and how the trust policy was judged.'),
  at: z.string().meta({ format: 'date-time' }),
});

export const RESTART_PHASES = ['Canary', 'Rolling', 'Done', 'Stalled', 'Ineffective'] as const;
const restartEntry = z.object({
  kind: z.string().max(63),
  name: z.string().max(253),
  uid: uid(),
  cause: z.enum(['Stale', 'TrustRepair']),
  desired: z.string().max(64).describe('Stands for the state that the pods shall have; one attempt is made for each.'),
  phase: z.enum(RESTART_PHASES),
  attempts: z.int(),
  startedAt: z.string().meta({ format: 'date-time' }),
  pods: z.int().describe('How many pods the workload has: one that is missing is on its way.').optional(),
});

/** Never more than these, so that a status stays small; the oldest finished ones are forgotten first. */
export const MAX_RESTARTS = 32;
/** Roles on which one binding may stand at once: the one that it names, and those whose release is not through. */
export const MAX_ROLES = 16;
/** A sentence; what is longer quotes somebody's document. */
export const MAX_MESSAGE = 4096;
/** A reader takes in no more; the most telling come first. */
export const MAX_FINDINGS = 32;

/** As many as the steps of the longest plan, with room. */
export const MAX_PLAN = 32;

const codes = Object.keys(FINDINGS) as [FindingCode, ...FindingCode[]];
const reported = z.object({ code: z.enum(codes), severity: z.enum(['Error', 'Warning']), message: z.string().max(MAX_MESSAGE) });
const planned = z.string().max(MAX_MESSAGE);

export const bindingStatus = z.object({
  observedGeneration: z.int().optional(),
  conditions: z
    .array(condition)
    .max(16)
    .meta({ 'x-kubernetes-list-type': 'map', 'x-kubernetes-list-map-keys': ['type'] })
    .optional(),
  roles: z.array(roleEntry).max(MAX_ROLES).describe('Every role on which trust of ours may stand.').optional(),
  revokedAt: z
    .string()
    .meta({ format: 'date-time' })
    .describe('When trust of ours was taken away for want of a grant. Kept for an hour, so that many are noticed, also across a restart.')
    .optional(),
  trustPolicy: z
    .object({
      managedBy: z.enum(['Operator', 'Others']),
      characters: z.int(),
      quota: z.int(),
      summary: z.string().max(32).describe('characters/quota, for the printed column.'),
    })
    .optional(),
  pods: z
    .object({
      total: z.int(),
      current: z.int(),
      stale: z.int(),
      exempt: z.int(),
      summary: z.string().max(32).describe('current/total, for the printed column.'),
    })
    .optional(),
  verification: verification.describe('The last proof by STS that stands.').optional(),
  restarts: z.array(restartEntry).max(MAX_RESTARTS).optional(),
  findings: z.array(reported).max(MAX_FINDINGS).optional(),
  plan: z.array(planned).max(MAX_PLAN).describe('What would be done, in words, while mode is Observe or suspend is set.').optional(),
  lastHandledReconcileAt: z
    .string()
    .max(MAX_REQUEST)
    .describe('The annotation irsa-operator.dev/reconcile-requested-at, once the reconcile that it requested was done.')
    .optional(),
});

export type BindingSpec = Omit<z.output<typeof bindingSpec>, 'roleArn'> & { readonly roleArn: RoleArn };
export type RoleEntry = Omit<z.output<typeof roleEntry>, 'arn'> & { readonly arn: RoleArn };
export type RestartEntry = z.output<typeof restartEntry>;
export interface BindingStatus extends Omit<z.output<typeof bindingStatus>, 'conditions' | 'roles'> {
  readonly conditions: readonly Condition[];
  readonly roles?: RoleEntry[] | undefined;
}

/** Of the metadata only what decisions need. */
export interface BindingMetadata {
  readonly namespace: string;
  readonly name: string;
  readonly uid: string;
  readonly resourceVersion: string;
  readonly generation: number;
  /** Epoch milliseconds. */
  readonly createdAt: number;
  readonly deleting: boolean;
  readonly finalizers: readonly string[];
  readonly annotations: Readonly<Record<string, string>>;
}

export interface IrsaBinding {
  readonly metadata: BindingMetadata;
  /** A problem where a stored object does not fit today's schema (written before a rule existed): reported, never acted on. */
  readonly spec: BindingSpec | Problem;
  readonly status: BindingStatus;
}

export function parseBindingSpec(input: unknown): BindingSpec | Problem {
  const parsed = bindingSpec.safeParse(input);
  if (!parsed.success) return problem(sentenceOf(parsed.error));
  const { roleArn, ...rest } = parsed.data;
  const arn = parseRoleArn(roleArn);
  return typeof arn === 'string' ? { ...rest, roleArn: arn } : problem(`spec.roleArn: ${arn.problem}`);
}

/** Lists are read entry by entry: what another version wrote, or somebody by hand, must not make us forget the rest. */
const ENTRIES: Readonly<Record<string, (entry: unknown) => boolean>> = {
  conditions: (entry) => condition.safeParse(entry).success,
  roles: isRoleEntry,
  restarts: (entry) => restartEntry.safeParse(entry).success,
  findings: (entry) => reported.safeParse(entry).success,
  plan: (entry) => planned.safeParse(entry).success,
};

/** A status is a hint: each field, and of a list each entry, that does not parse is as if it were not there. */
export function parseBindingStatus(input: unknown): BindingStatus {
  const given = typeof input === 'object' && input !== null ? (input as Record<string, unknown>) : {};
  const kept = Object.entries(bindingStatus.shape).flatMap(([name, schema]) => {
    const fits = ENTRIES[name];
    const value = given[name];
    const parsed = (schema as z.ZodType).safeParse(fits !== undefined && Array.isArray(value) ? value.filter(fits) : value);
    return parsed.success && parsed.data !== undefined ? [[name, parsed.data]] : [];
  });
  return { conditions: [], ...Object.fromEntries(kept) } as BindingStatus;
}

function isRoleEntry(entry: unknown): boolean {
  const parsed = roleEntry.safeParse(entry);
  return parsed.success && !isProblem(parseRoleArn(parsed.data.arn));
}

/** What a user requests a reconcile with: printable, or it is as if nobody asked. */
const REQUEST = new RegExp(`^[ -~]{1,${MAX_REQUEST}}$`);

/** The request for a reconcile that was not handled yet. */
export function openRequest({ metadata, status }: IrsaBinding): string | undefined {
  const asked = metadata.annotations[ANNOTATIONS.reconcileRequestedAt];
  return asked === undefined || asked === status.lastHandledReconcileAt || !REQUEST.test(asked) ? undefined : asked;
}
