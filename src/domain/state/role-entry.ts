import type { BindingSpec, IrsaBinding, RoleEntry } from '../../api/binding.ts';
import { FINALIZER } from '../../api/names.ts';

/** What an entry of `status.roles` is told from the others by: one role and one audience. */
export type EntryKey = Pick<RoleEntry, 'arn' | 'audience'>;

export const isSameEntry = (a: EntryKey, b: EntryKey): boolean => a.arn === b.arn && a.audience === b.audience;

/** The entry for the role and audience that the spec names. */
export const isCurrentEntry = ({ roleArn, audience }: BindingSpec, entry: EntryKey): boolean =>
  isSameEntry({ arn: roleArn, audience }, entry);

export const entryFor = ({ status }: IrsaBinding, key: EntryKey): RoleEntry | undefined =>
  status.roles?.find((entry) => isSameEntry(entry, key));

/** Trust of this binding may stand in the role: its entry remembers it, and its finalizer takes care of the end. */
export function mayStandOn(binding: IrsaBinding, key: EntryKey): boolean {
  return binding.metadata.finalizers.includes(FINALIZER) && entryFor(binding, key) !== undefined;
}
