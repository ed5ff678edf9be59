declare const brand: unique symbol;
/** `system:serviceaccount:<namespace>:<name>`, the `sub` claim of a ServiceAccount's token. */
export type Subject = string & { readonly [brand]: 'Subject' };

export function subjectOf(namespace: string, serviceAccountName: string): Subject {
  return `system:serviceaccount:${namespace}:${serviceAccountName}` as Subject;
}
