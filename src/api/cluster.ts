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
  /**
   * Only `CREDENTIAL_VARIABLES`. Role and token file have their literal value, others only where it is empty: no key is kept here.
   * All else is `undefined`, as is what comes from another object (`valueFrom`).
   */
  readonly env: Readonly<Record<string, string | undefined>>;
  /** Of the credentials among them that a Secret has: its name and that of the key, as `name/key`. Only where there are any. */
  readonly secrets?: Readonly<Record<string, string>>;
  /** The volume `aws-iam-token` is mounted where the webhook mounts it. */
  readonly mountsToken: boolean;
  /** Only of a container that mounts something in place of the webhook. */
  readonly own?: OwnMounts;
}

/** Mounts that change what the webhook does, or what it is for. */
export interface OwnMounts {
  /** Where the volume `aws-iam-token` is mounted instead. */
  readonly tokenMount?: string;
  /** The other volume that is mounted on the webhook's path. */
  readonly onWebhookPath?: string;
  /** A mount has what `AWS_WEB_IDENTITY_TOKEN_FILE` names. The audience is known where that is a projected token. */
  readonly tokenFile?: { readonly audience: string | undefined };
}

export interface Pod extends ObjectName {
  readonly uid: string;
  /** Of the pod as it was looked at: what is taken away for not being ready must not have become so. */
  readonly resourceVersion: string;
  readonly serviceAccountName: string;
  readonly createdAt: number;
  readonly deleting: boolean;
  /** When it was told to end. Only while it is deleting. */
  readonly deletingSince?: number;
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
  /** Audience of the projected token in the volume `aws-iam-token`; `undefined` without that volume, or without a file `token` in it. */
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
  /** Why a changed template does not replace all pods by itself. */
  readonly held: 'paused' | 'OnDelete' | 'partition' | undefined;
  /** While it is held: that of its template, by which pods of an older one are told. Undefined of a Deployment, and before its status says it. */
  readonly revision: string | undefined;
  /** Of a paused Deployment: some of its pods are of an older template. */
  readonly outdated: boolean;
  /** How many pods its owner wants. Undefined of a DaemonSet whose status does not say it yet. */
  readonly replicas: number | undefined;
  /** Our annotation of the template. */
  readonly restartedAt: string | undefined;
}

/** A Job or CronJob: only under which ServiceAccount its pods run, because there may be very many. */
export interface BatchWorkload extends ObjectName {
  readonly kind: 'Job' | 'CronJob';
  readonly serviceAccountName: string;
  /** The label `app.kubernetes.io/name`. Not of a Job that a controller owns: what is to be corrected there is the template of its owner. */
  readonly appName: string | undefined;
}
