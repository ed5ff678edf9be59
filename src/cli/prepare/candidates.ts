import type { RoleArn } from '../../api/arn.ts';
import type { IrsaBinding } from '../../api/binding.ts';
import type { Issuer } from '../../api/issuer.ts';
import { isProblem } from '../../api/problem.ts';
import { subjectOf, type TokenSubject } from '../../api/subject.ts';
import { contendersOf } from '../../domain/authorization/authorize.ts';
import { GrantIndex } from '../../domain/authorization/grant-index.ts';
import type { RequiredTags } from '../../domain/authorization/grants.ts';
import type { CallerView } from '../../domain/state/identity.ts';

import type { Row } from '../edit-report.ts';
import { preparationOf } from './eligibility.ts';
import type { Source } from './source.ts';

/** A binding whose trust is wanted in its role. */
export interface Candidate extends TokenSubject {
  readonly role: RoleArn;
  readonly binding: IrsaBinding;
  /** Each grant's required role tags: one of them must be fulfilled. */
  readonly requiredTags: RequiredTags;
}

/** Whose trust is to be written for the other cluster, the oldest first, and a row for each of the others. Pure. */
export function candidatesOf(source: Source, issuer: Issuer, caller: CallerView): { candidates: Candidate[]; others: Row[] } {
  const namespaces = new Map(source.namespaces.map((namespace) => [namespace.name, namespace]));
  const contenders = new Map([...Map.groupBy(source.bindings, accountOf)].map(([account, bindings]) => [account, contendersOf(bindings)]));
  const grants = new GrantIndex(source.grants);
  const apiAudiences = [...source.apiAudiences, issuer];
  const candidates: Candidate[] = [];
  const others: Row[] = [];
  for (const binding of source.bindings.toSorted((a, b) => a.metadata.createdAt - b.metadata.createdAt)) {
    const name = binding.metadata.namespace;
    const namespace = namespaces.get(name) ?? { name, labels: {} };
    const stores = {
      grants,
      namespace,
      contenders: contenders.get(accountOf(binding)) ?? [],
      ownRoles: caller.kind === 'known' ? caller.ownRoles : [],
      apiAudiences,
    };
    const preparation = preparationOf(binding, stores, caller);
    if (preparation.kind === 'wanted') {
      const { spec, requiredTags } = preparation;
      const subject = subjectOf(name, spec.serviceAccountName);
      candidates.push({ role: spec.roleArn, subject, audience: spec.audience, binding, requiredTags });
    } else others.push({ result: preparation.kind, ...about(binding), message: preparation.why });
  }
  return { candidates, others };
}

function about({ metadata: { namespace }, spec }: IrsaBinding): Partial<Row> {
  if (isProblem(spec)) return {};
  return { role: spec.roleArn, subject: subjectOf(namespace, spec.serviceAccountName), audience: spec.audience };
}

/** The ServiceAccount that it is for. */
function accountOf({ metadata, spec }: IrsaBinding): string {
  return `${metadata.namespace}/${isProblem(spec) ? '' : spec.serviceAccountName}`;
}
