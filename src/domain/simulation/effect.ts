import type { RoleArn } from '../../api/arn.ts';
import type { ObjectName } from '../../api/cluster.ts';

/** What an operator would do outside of its process, in the order in which it would do it. */
export type Effect =
  | { readonly do: 'writeTrust'; readonly role: RoleArn; readonly before: string; readonly after: string }
  | {
      readonly do: 'annotate';
      readonly serviceAccount: ObjectName;
      readonly before: Readonly<Record<string, string>>;
      readonly after: Readonly<Record<string, string>>;
    }
  | {
      readonly do: 'restart';
      readonly how: 'evict' | 'delete';
      readonly serviceAccount: ObjectName;
      readonly pod: string;
      /** What it is part of: of a Deployment's pod its ReplicaSet. */
      readonly owner: string;
      /** It has the role already, and only a pod that is still not ready after the trust was repaired is restarted. */
      readonly ifNotReady: boolean;
    }
  | { readonly do: 'rollOut'; readonly serviceAccount: ObjectName; readonly workload: string };
