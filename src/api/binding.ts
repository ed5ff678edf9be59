import * as z from 'zod';
import { parseRoleArn, ROLE_ARN_MAX_LENGTH, type RoleArn, roleArnRules } from './arn.ts';
import { CONDITION_TYPES, type Condition, MAX_MESSAGE } from './condition.ts';
import { conditionSchema } from './condition-schema.ts';
import { lengthOf } from './cut.ts';
import { FINDINGS, type Finding, type FindingCode, finding } from './finding.ts';
import { ANNOTATIONS, STS_AUDIENCE } from './names.ts';
import { isProblem, type Problem, problem } from './problem.ts';
import { audience, cel, dnsName, immutable, sentenceOf, text, time, uid } from './schema.ts';

/** A number of pods, or a percentage of the workload's pods. The union cannot be written in a CRD: its schema says int-or-string and CEL bounds it. */
const intOrPercent = z.union([z.int().min(1).max(1000), z.string().regex(/^(100|[1-9][0-9]?)%$/)]).meta({
  description:
    'How many pods of one workload may be unavailable at once during a restart: a number from 1, or a percentage, rounded up. Default: 1. Example: 25%.',
  'x-kubernetes-int-or-string': true,
  ...cel([
    'type(self) == int ? self >= 1 && self <= 1000 : self.matches("^(100|[1-9][0-9]?)%$")',
    'maxUnavailable is a number from 1 to 1000 or a percentage from "1%" to "100%". To restart nothing, set restart.strategy to Never',
  ]),
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
      'How pods that lack the role are restarted. Evict: pod by pod, through the Eviction API. Rollout: by a new annotation in the template of the workload (needs config/rollout). Never: not at all. Default: Evict.',
    ),
  afterTrustRepair: z
    .enum(['Unready', 'Always', 'Never'])
    .default('Unready')
    .describe(
      'Which pods are restarted after a fix of the trust policy alone: those that are not ready (Unready), all (Always), or none (Never). Default: Unready.',
    ),
  maxUnavailable: intOrPercent.default(1),
});

export const bindingSpec = z.object({
  serviceAccountName: dnsName(
    'serviceAccountName',
    'The name of the ServiceAccount that gets the role. It is in the namespace of the binding, and may be created later. Immutable. Example: web.',
    immutable('serviceAccountName'),
  ),
  roleArn: text({
    most: ROLE_ARN_MAX_LENGTH,
    description: 'The ARN of the IAM role, with its path. Example: arn:aws:iam::111122223333:role/team/app.',
    rules: roleArnRules('roleArn is the ARN of one role, for example arn:aws:iam::111122223333:role/team/app', ''),
  }),
  mode: z
    .enum(['Enforce', 'Observe'])
    .default('Enforce')
    .describe('Enforce fixes what is wrong. Observe changes nothing, and reports in status.plan what Enforce would do. Default: Enforce.'),
  audience: audience(
    'The audience of the tokens: what the trust policy and the OIDC provider must accept. Default: sts.amazonaws.com.',
  ).default(STS_AUDIENCE),
  tokenExpirationSeconds: z
    .int()
    .min(MIN_TOKEN_SECONDS)
    .max(MAX_TOKEN_SECONDS)
    .describe(
      'How long a token of the pods is valid, in seconds: the annotation eks.amazonaws.com/token-expiration. Default: irsa-operator ignores that annotation, and the webhook uses its own default, 86400. Example: 3600.',
    )
    .optional(),
  stsRegionalEndpoints: z
    .boolean()
    .describe(
      'Whether the AWS SDK in the pods calls STS in its own region: the annotation eks.amazonaws.com/sts-regional-endpoints. Default: irsa-operator ignores that annotation. Example: true.',
    )
    .optional(),
  trustPolicy: z
    .enum(['Managed', 'External'])
    .default('Managed')
    .describe(
      'Managed: irsa-operator writes its statement into the trust policy. External: another tool writes the trust policy, and irsa-operator checks it. Default: Managed.',
    ),
  restart: restart
    .prefault({})
    .describe('How irsa-operator restarts pods that run without the role. Default: one pod after the other, through the Eviction API.'),
  deletionPolicy: z
    .enum(['Revoke', 'Retain'])
    .default('Revoke')
    .describe(
      'What happens when the binding is deleted. Revoke: irsa-operator removes its statement and its annotations. Retain: both stay. Default: Revoke.',
    ),
  suspend: z.boolean().default(false).describe('true: irsa-operator changes nothing but the status of the binding. Default: false.'),
  verification: z
    .enum(['Never', 'OnChange', 'Periodic'])
    .default('Never')
    .describe(
      'Whether irsa-operator proves the result by a real call of STS. Never, OnChange (after a change), or Periodic (also once a day). Needs allowVerification in the grant. Default: Never.',
    ),
});

const condition = conditionSchema(CONDITION_TYPES, {
  of: 'binding',
  type: 'Ready is the sum. Authorized, ProviderReady, Trusted, Annotated, Verified and PodsCurrent are the steps. Reconciling and Stalled exist only while they are true.',
  state: 'Ready',
});

const roleEntry = z.object({
  arn: z.string().max(ROLE_ARN_MAX_LENGTH).describe('The ARN of the role.'),
  roleId: z.string().max(128).describe('The unique ID of the role. A role that was deleted and created again has another one.'),
  audience: audience('The audience that the role trusts for this binding.'),
  sid: z
    .string()
    .max(64)
    .describe('The Sid of the statement of irsa-operator in the trust policy. For the reader only: irsa-operator computes it.'),
});

const verification = z.object({
  of: z.string().max(64).describe('A hash of what was proved: the role, the token, and the state of the trust policy.'),
  at: time('When STS accepted the token.'),
});

export const RESTART_PHASES = ['Canary', 'Rolling', 'Done', 'Stalled', 'Ineffective'] as const;
const restartEntry = z.object({
  kind: z.string().max(63).describe('The kind of the workload. Example: Deployment.'),
  name: z.string().max(253).describe('The name of the workload.'),
  uid: uid().describe('The UID of the workload.'),
  cause: z
    .enum(['Stale', 'TrustRepair'])
    .describe('Stale: its pods lack the role. TrustRepair: the trust policy was fixed while its pods ran.'),
  desired: z.string().max(64).describe('A hash of the state that the pods must reach. There is one restart for each.'),
  phase: z
    .enum(RESTART_PHASES)
    .describe(
      'Canary: the first pod is replaced. Rolling: the others are replaced. Done. Stalled: a new pod does not start. Ineffective: new pods still lack the role.',
    ),
  attempts: z.int().describe('How many restarts were started for this state.'),
  startedAt: time('When the last of them started.'),
  actedAt: time('When the last of its pods began to terminate, or its template changed. Absent within a minute of startedAt.').optional(),
  pods: z.int().describe('How many pods the workload wants.').optional(),
});

/** One of each type, with room. */
const MAX_CONDITIONS = 16;
/** Never more than these, so that a status stays small; the oldest finished ones are forgotten first. */
export const MAX_RESTARTS = 32;
/** Roles on which one binding may stand at once: the one that it names, and those whose release is not through. */
export const MAX_ROLES = 16;
/** A reader takes in no more; the most telling come first. */
export const MAX_FINDINGS = 32;

/** As many as the steps of the longest plan, with room. */
export const MAX_PLAN = 32;

const codes = Object.keys(FINDINGS) as [FindingCode, ...FindingCode[]];
const reported = z.object({
  code: z.enum(codes).describe('The finding code: its page in docs/findings explains it.'),
  severity: z.enum(['Error', 'Warning']).describe('Error: pods do not get the role. Warning: they do, but something needs attention.'),
  message: z
    .string()
    .max(MAX_MESSAGE)
    .describe('What was found, what is wanted, and what to do. Absent where a condition with this reason has it.')
    .optional(),
});
const planned = z.string().max(MAX_MESSAGE);

export const bindingStatus = z.object({
  observedGeneration: z
    .int()
    .describe('The generation of the binding that this status is about. -1 until irsa-operator has seen the binding.')
    .optional(),
  conditions: z
    .array(condition)
    .max(MAX_CONDITIONS)
    .meta({
      description: 'The state of the binding, step by step. Ready is the sum, and says what to do.',
      'x-kubernetes-list-type': 'map',
      'x-kubernetes-list-map-keys': ['type'],
    })
    .optional(),
  roles: z
    .array(roleEntry)
    .max(MAX_ROLES)
    .describe('Every role whose trust policy can have a statement of irsa-operator for this binding.')
    .optional(),
  revokedAt: time('When irsa-operator removed its statement because no grant covered the binding. Kept for one hour.').optional(),
  trustPolicy: z
    .object({
      managedBy: z
        .enum(['Operator', 'Others'])
        .describe('Whether the statement of irsa-operator gives the trust, or one that another tool wrote.'),
      characters: z.int().describe('The size of the trust policy, as IAM counts it.'),
      quota: z.int().describe('The size that the account allows.'),
      summary: z.string().max(32).describe('characters/quota, for the printed column.'),
    })
    .describe('The trust policy of the role.')
    .optional(),
  pods: z
    .object({
      total: z.int().describe('How many pods run as the ServiceAccount.'),
      current: z.int().describe('How many of them have the role.'),
      stale: z.int().describe('How many lack it, and need a restart.'),
      exempt: z.int().describe('How many get no role on purpose. Example: the annotation eks.amazonaws.com/skip-containers.'),
      summary: z.string().max(32).describe('current/total, for the printed column.'),
    })
    .describe('The pods that run as the ServiceAccount.')
    .optional(),
  verification: verification.describe('The last proof by STS that is still valid.').optional(),
  restarts: z.array(restartEntry).max(MAX_RESTARTS).describe('The restarts of workloads, one entry for each workload.').optional(),
  findings: z
    .array(reported)
    .max(MAX_FINDINGS)
    .describe('What is wrong, the most important first. docs/findings has a page for each code.')
    .optional(),
  plan: z
    .array(planned)
    .max(MAX_PLAN)
    .describe('What irsa-operator would do in mode Enforce. Only while mode is Observe or suspend is true.')
    .optional(),
  lastHandledReconcileAt: z
    .string()
    .max(MAX_REQUEST)
    .describe('The value of the annotation irsa-operator.dev/reconcile-requested-at whose reconcile is done.')
    .optional(),
});

export type BindingSpec = Omit<z.output<typeof bindingSpec>, 'roleArn'> & { readonly roleArn: RoleArn };
export type RoleEntry = Omit<z.output<typeof roleEntry>, 'arn'> & { readonly arn: RoleArn };
export type ReportedFinding = z.output<typeof reported>;
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
  /** Ours, where it is there. Others may be thousands. */
  readonly finalizers: readonly string[];
  /** Only those of ours. */
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

interface List {
  readonly max: number;
  readonly fits: (entry: unknown) => boolean;
}
const listOf = (entry: z.ZodType, max: number): List => ({ max, fits: (one) => entry.safeParse(one).success });

/** Lists are read entry by entry: what another version wrote, or somebody by hand, must not make us forget the rest. */
const LISTS: Readonly<Record<string, List>> = {
  conditions: listOf(condition, MAX_CONDITIONS),
  roles: { max: MAX_ROLES, fits: isRoleEntry },
  restarts: listOf(restartEntry, MAX_RESTARTS),
  findings: listOf(reported, MAX_FINDINGS),
  plan: listOf(planned, MAX_PLAN),
};

/** A status is a hint: each field, and of a list each entry, that does not parse is as if it were not there. */
export function parseBindingStatus(input: unknown): BindingStatus {
  const given = typeof input === 'object' && input !== null ? (input as Record<string, unknown>) : {};
  const kept = Object.entries(bindingStatus.shape).flatMap(([name, schema]) => {
    const parsed = (schema as z.ZodType).safeParse(readable(given[name], LISTS[name]));
    return parsed.success && parsed.data !== undefined ? [[name, parsed.data]] : [];
  });
  return { conditions: [], ...Object.fromEntries(kept) } as BindingStatus;
}

/** Of a list the first entries that fit: of more than there may be, too, so that a list that is too long is not as if it were not there. */
function readable(value: unknown, list: List | undefined): unknown {
  return list === undefined || !Array.isArray(value) ? value : value.values().filter(list.fits).take(list.max).toArray();
}

function isRoleEntry(entry: unknown): boolean {
  const parsed = roleEntry.safeParse(entry);
  return parsed.success && !isProblem(parseRoleArn(parsed.data.arn));
}

/** What a user requests a reconcile with: printable, or it is as if nobody asked. */
const REQUEST = new RegExp(`^[ -~]{1,${MAX_REQUEST}}$`);

/** Why the annotation requests nothing, for whoever waits for the answer. */
export function invalidRequest({ metadata }: IrsaBinding): Finding[] {
  const asked = metadata.annotations[ANNOTATIONS.reconcileRequestedAt];
  if (asked === undefined || asked === '' || REQUEST.test(asked)) return [];
  const length = lengthOf(asked);
  const found =
    length > MAX_REQUEST
      ? `has ${length} characters, and irsa-operator allows ${MAX_REQUEST}. It requests nothing. Set a shorter value`
      : 'has a character that is not printable ASCII. It requests nothing. Set another value';
  return [
    finding(
      'ReconcileRequestInvalid',
      `IrsaBinding "${metadata.name}": annotation ${ANNOTATIONS.reconcileRequestedAt} ${found}, for example the time`,
    ),
  ];
}

/** The request for a reconcile that was not handled yet. */
export function openRequest({ metadata, status }: IrsaBinding): string | undefined {
  const asked = metadata.annotations[ANNOTATIONS.reconcileRequestedAt];
  return asked === undefined || asked === status.lastHandledReconcileAt || !REQUEST.test(asked) ? undefined : asked;
}
