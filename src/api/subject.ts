declare const brand: unique symbol;
/** `system:serviceaccount:<namespace>:<name>`, the `sub` claim of a ServiceAccount's token. */
export type Subject = string & { readonly [brand]: 'Subject' };

/** What a trust policy tells tokens apart by, `sub` and `aud`. A foreign document may hold any text in place of a subject. */
export interface TokenSubject<Text extends string = Subject> {
  readonly subject: Text;
  readonly audience: string;
}

type AnySubject = TokenSubject<string>;

export const sameSubject = (a: AnySubject, b: AnySubject): boolean => a.subject === b.subject && a.audience === b.audience;

/** For sets and maps: equal where `sameSubject` holds. */
export const subjectKey = ({ subject, audience }: AnySubject): string => `${subject}\n${audience}`;

export function subjectOf(namespace: string, serviceAccountName: string): Subject {
  return `system:serviceaccount:${namespace}:${serviceAccountName}` as Subject;
}

/** Whose token carries the subject; undefined where no ServiceAccount's does. */
export function serviceAccountIn(subject: string): { readonly namespace: string; readonly name: string } | undefined {
  const [, namespace, name] = /^system:serviceaccount:([^:]+):([^:]+)$/.exec(subject) ?? [];
  return namespace === undefined || name === undefined ? undefined : { namespace, name };
}
