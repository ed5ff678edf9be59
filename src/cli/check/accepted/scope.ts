/** ServiceAccounts by their names: a name that is left out means any. */
export interface Scope {
  readonly namespace?: string | undefined;
  readonly serviceAccount?: string | undefined;
}

/** Whether all that `part` means is meant by `whole` too. */
export function covers(whole: Scope, part: Scope): boolean {
  return (
    (whole.namespace === undefined || whole.namespace === part.namespace) &&
    (whole.serviceAccount === undefined || whole.serviceAccount === part.serviceAccount)
  );
}
