/** What the product sees of the cluster's objects: parsed and trimmed at the edge, so that ten thousand of them stay small. Times are epoch milliseconds. */
export interface ObjectName {
  readonly namespace: string;
  readonly name: string;
}

/** `namespace/name`, the key of namespaced objects in stores and queues. */
export type ObjectKey = `${string}/${string}`;

export const keyOf = ({ namespace, name }: ObjectName): ObjectKey => `${namespace}/${name}`;

export interface Namespace {
  readonly name: string;
  readonly labels: Readonly<Record<string, string>>;
  /** What the annotation `irsa-operator.dev/revocation-confirmed` says, which counts on the operator's own: epoch milliseconds. */
  readonly revocationConfirmedAt?: number;
}

/** A CustomResourceDefinition. */
export interface Definition {
  readonly name: string;
  /** Of one that was deleted and made again it is another. */
  readonly uid: string;
  readonly createdAt: number;
  readonly deleting: boolean;
}

/** Who set an annotation, as the API server's `managedFields` tell. */
export interface Writer {
  readonly manager: string;
  readonly at: number;
}

export interface ServiceAccount extends ObjectName {
  readonly uid: string;
  readonly resourceVersion: string;
  /** Only those that the webhook reads. */
  readonly annotations: Readonly<Record<string, string>>;
  /** Keys of annotations that are meant to be `eks.amazonaws.com/role-arn` and are not: a few, without their values. */
  readonly misspelt: readonly string[];
  /** By annotation key; several managers may hold one key with the same value. */
  readonly writers: Readonly<Record<string, readonly Writer[]>>;
}

/** The controller of a pod. Of a Deployment's pods that is the ReplicaSet. */
export interface Owner {
  readonly kind: string;
  readonly name: string;
  readonly uid: string;
}

export interface Container {
  readonly name: string;
  /** Only `ROLE_VARIABLES`: role and token file with their literal value, others, and what comes from another object (`valueFrom`), with `undefined`. */
  readonly env: Readonly<Record<string, string | undefined>>;
  /** The volume with the token is mounted. */
  readonly mountsToken: boolean;
}

export interface Pod extends ObjectName {
  readonly uid: string;
  /** Of the pod as it was looked at: what is taken away for not being ready must not have become so. */
  readonly resourceVersion: string;
  readonly serviceAccountName: string;
  readonly createdAt: number;
  readonly deleting: boolean;
  /** Succeeded or Failed: it will never run again. */
  readonly finished: boolean;
  readonly ready: boolean;
  /** A static pod's image in the API: the API cannot restart it. */
  readonly mirror: boolean;
  readonly owner: Owner | undefined;
  readonly labels: Readonly<Record<string, string>>;
  /** Only those that decide about injection and restarts. */
  readonly annotations: Readonly<Record<string, string>>;
  /** Init and ordinary containers; ephemeral ones are never injected. */
  readonly containers: readonly Container[];
  /** Audience of the projected token in the volume `aws-iam-token`; `undefined` without that volume. */
  readonly tokenAudience: string | undefined;
  readonly tokenExpirationSeconds: number | undefined;
  readonly windows: boolean;
}

/** What pods are made from, before the webhook and others have touched them. */
export interface Template {
  readonly containers: readonly Container[];
  /** It has a volume of its own with the webhook's name. */
  readonly hasTokenVolume: boolean;
}

/** A Deployment, StatefulSet or DaemonSet: what tells under which ServiceAccount it runs, and what a rollout would do. */
export interface Workload extends ObjectName {
  readonly kind: 'Deployment' | 'StatefulSet' | 'DaemonSet';
  readonly uid: string;
  readonly serviceAccountName: string;
  /** The label `app.kubernetes.io/name`. */
  readonly appName: string | undefined;
  readonly template: Template;
  /** Why a changed template replaces no pod by itself. */
  readonly held: 'paused' | 'OnDelete' | undefined;
  /** Our annotation of the template. */
  readonly restartedAt: string | undefined;
}
