/** A reconcile that a user requested by an annotation, and what was read from AWS since. */
export interface ReconcileRequest {
  /** The annotation's value, which the status echoes when the request was handled. */
  readonly value: string;
  /** When it was seen first: what was read before is not fresh. Epoch milliseconds. */
  readonly at: number;
  readonly providerRead: boolean;
  /** The verdicts rest on a read since. */
  readonly roleRead: boolean;
}
