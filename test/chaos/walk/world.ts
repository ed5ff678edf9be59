import type { Api, Testbed } from '@irsa-operator/testbed';
import { unless } from '../../harness/objects.ts';
import type { Scene } from '../../harness/scene.ts';
import { ACCOUNT } from '../../harness/views.ts';
import type { Chance } from '../chance.ts';
import type { Histories } from './history.ts';

/** Small enough that everything meets everything: two bindings for each ServiceAccount, six of which share a role on average. */
export const NAMESPACES = ['walk-a', 'walk-b', 'walk-c', 'walk-d'] as const;
export const SERVICE_ACCOUNTS = ['api', 'app', 'job', 'web'] as const;
export const ROLES = ['alpha', 'beta', 'gamma', 'delta', 'epsilon', 'zeta', 'eta', 'theta'] as const;
export const GRANTS = ['by-name', 'by-label', 'by-path', 'by-tag'] as const;
/** The provider has the first two as client IDs. */
export const AUDIENCES = ['sts.amazonaws.com', 'sigstore', 'unregistered'] as const;
export const TEAM = { team: 'walk' };
/** What the grant `by-tag` asks of a role. */
export const CONSENT = { 'allow-irsa': 'yes' };
export const PAUSED = { 'irsa-operator.dev/paused': 'true' };

export type RoleName = (typeof ROLES)[number];

/** Every second role has a path. */
export const rolePathOf = (role: RoleName): string => (ROLES.indexOf(role) % 2 === 0 ? '/' : '/walk/');
export const arnOf = (role: RoleName): string => `arn:aws:iam::${ACCOUNT}:role${rolePathOf(role)}${role}`;
export const subjectOf = (namespace: string, account: string): string => `system:serviceaccount:${namespace}:${account}`;

/** What the walk runs in, and what it remembers to judge the end by. */
export interface World {
  readonly testbed: Testbed;
  readonly api: Api;
  /** One for each namespace. */
  readonly scenes: readonly Scene[];
  readonly chance: Chance;
  readonly histories: Histories;
  /** Whether STS lets this token assume the role. */
  readonly ask: (roleArn: string, token: string) => Promise<boolean>;
  /** Trust that stays by the will of a binding that is gone: `ROLE ARN|SUBJECT|AUDIENCE`. */
  readonly retained: Set<string>;
  /** ServiceAccounts whose annotation may stay, for the same reason: `NAMESPACE/NAME`. */
  readonly annotated: Set<string>;
  /** How often somebody undid what the operator wrote on a ServiceAccount, by its uid. */
  readonly reverted: Map<string, number>;
  /** Up to when the platform team confirmed what was lost: epoch milliseconds. */
  confirmedAt: number;
}

export const trustKey = (arn: string, subject: string, audience: string): string => `${arn}|${subject}|${audience}`;

/** Undefined where the object is not there, is there already, or is being deleted: the walk stumbles over itself, and over the operator. */
export const attempt = <T>(call: Promise<T>): Promise<T | undefined> => unless([404, 409], call);
