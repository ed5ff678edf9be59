import type { RoleArn } from '../../api/arn.ts';
import type { IrsaBinding } from '../../api/binding.ts';
import { isProblem } from '../../api/problem.ts';
import { subjectKey, subjectOf, type TokenSubject } from '../../api/subject.ts';
import type { LossesInput } from '../../domain/authorization/losses.ts';
import { showsAllSince } from '../../domain/role/plan.ts';
import { oursIn } from '../../domain/state/identity.ts';
import { isGone, NO_WRITES, type RoleRecord } from '../../domain/state/role-record.ts';
import { mayShareStatement } from '../../domain/state/undone.ts';
import { admittedByChanged } from '../../trust/changed-statement.ts';
import { parseDocument } from '../../trust/document/document.ts';
import { ownSubjects } from '../../trust/own-subjects.ts';
import { identityOf, namespaceIn } from '../observe.ts';
import { HERE, type Stores } from '../stores.ts';

/** What stands in a role and what could cover it; undefined while that cannot be known. No call leaves the process for it. */
export function gather(stores: Stores, role: RoleArn, before: Pick<LossesInput, 'now' | 'recorded' | 'coverage'>): LossesInput | undefined {
  const { cluster } = identityOf(stores);
  const record = stores.roles.get(role);
  const [definition] = stores.grantDefinitions.list();
  if (record === undefined || cluster.kind === 'unknown' || definition === undefined || definition.deleting) return undefined;
  const remembered = rememberedOn(stores, role);
  // A binding that is older than the CRD got its grant by one before, of which nothing is known.
  const today = remembered.filter(({ createdAt }) => createdAt >= definition.createdAt);
  const { state } = record;
  const known = {
    ...before,
    role,
    grants: stores.grantIndex(),
    namespace: (name: string) => namespaceIn(stores, name),
    roleTags: state.kind === 'present' ? state.tags?.values : undefined,
    definition: definition.uid,
    mayShareStatement: mayShareStatement(cluster),
    undone: state.kind === 'present' ? state.writes.undone : NO_WRITES.undone,
  };
  const certain = isAbsenceCertain(stores, record);
  if (state.kind !== 'present') return { ...known, standing: [], certain };
  const document = parseDocument(state.policy);
  if (isProblem(document)) return { ...known, standing: [], certain: false };
  const ours = oursIn(cluster, role);
  const changed = remembered.filter((one) => admittedByChanged(document, one, ours) !== false);
  const keys = new Set(today.map(subjectKey));
  const named = new Set(bindingsOf(stores, role).map(({ subject }) => subject));
  const standing = new Map([...ownSubjects(document, ours), ...changed].map((one) => [subjectKey(one), one]));
  return {
    ...known,
    standing: [...standing].map(([key, one]) => ({ ...one, remembered: keys.has(key), named: named.has(one.subject) })),
    certain,
  };
}

/** Whether what a read does not show is not there: later reads may show the same, and prove more. */
export function isAbsenceCertain(stores: Stores, record: RoleRecord): boolean {
  if (record.state.kind !== 'present') return isGone(record);
  return record.state.writes.pending === undefined && showsAllSince(stores.leadership.get(HERE)?.since, record.asOf);
}

/** Whom statuses remember to stand in the role. */
function rememberedOn(stores: Stores, role: RoleArn): (TokenSubject<string> & { createdAt: number })[] {
  return bindingsOf(stores, role).flatMap(({ subject, metadata, status }) =>
    (status.roles ?? []).flatMap(({ arn, audience }) => (arn === role ? [{ subject, audience, createdAt: metadata.createdAt }] : [])),
  );
}

/** Those that want the role or have something of it, with the subject of each. */
function bindingsOf({ bindings }: Stores, role: RoleArn): (Pick<IrsaBinding, 'metadata' | 'status'> & { subject: string })[] {
  return bindings.byIndex('role', role).flatMap(({ metadata, spec, status }) => {
    return isProblem(spec) ? [] : [{ metadata, status, subject: subjectOf(metadata.namespace, spec.serviceAccountName) }];
  });
}
