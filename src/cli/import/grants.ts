import { createHash } from 'node:crypto';
import { roleArnParts } from '../../api/arn.ts';
import { STS_AUDIENCE } from '../../api/names.ts';
import type { Imported } from './imported.ts';

/** A grant as it is written. Whoever it covers has a binding here: it is exact. */
export interface ExactGrant {
  readonly name: string;
  readonly roleArns: readonly [string];
  readonly namespaces: readonly string[];
  readonly serviceAccountNames: readonly string[];
  readonly audiences: readonly string[];
}

/** Of a list in a grant (the schema of its CRD). */
const MOST_NAMES = 256;
/** A name of Kubernetes with room for the hash. */
const LONGEST_PART = 40;

/**
 * A grant covers every pair of its namespaces and names, so only namespaces with the same names for a role share one. Its name rests on the
 * role and these names: a further namespace changes the grant, and makes no new one.
 */
export function exactGrants(imported: readonly Imported[]): ExactGrant[] {
  const bound = imported.flatMap(({ of, spec }) => (spec === undefined ? [] : [{ of, role: spec.roleArn, audience: spec.audience }]));
  const grants: ExactGrant[] = [];
  for (const [, ofRole] of Map.groupBy(bound, ({ role, audience }) => `${role} ${audience}`)) {
    const [first] = ofRole;
    if (first === undefined) continue;
    const { role, audience } = first;
    const byNames = Map.groupBy(
      [...Map.groupBy(ofRole, ({ of }) => of.namespace)].flatMap(([namespace, all]) =>
        inParts(all.map(({ of }) => of.name).toSorted()).map((names) => ({ namespace, names })),
      ),
      ({ names }) => names.join(' '),
    );
    for (const [key, all] of byNames)
      for (const [at, namespaces] of inParts(all.map(({ namespace }) => namespace).toSorted()).entries())
        grants.push({
          name: nameFor(role, [role, audience, key, ...(at === 0 ? [] : [String(at)])]),
          roleArns: [role],
          namespaces,
          serviceAccountNames: key.split(' '),
          audiences: [audience],
        });
  }
  return grants.toSorted((a, b) => (a.name < b.name ? -1 : 1));
}

function inParts<T>(all: readonly T[]): T[][] {
  return Array.from({ length: Math.ceil(all.length / MOST_NAMES) }, (_, at) => all.slice(at * MOST_NAMES, (at + 1) * MOST_NAMES));
}

/** `import-ROLE-HASH`: names of roles have signs that those of Kubernetes have not. */
function nameFor(role: Parameters<typeof roleArnParts>[0], of: readonly string[]): string {
  const hash = createHash('sha256').update(of.join('\n')).digest('hex').slice(0, 8);
  const part = roleArnParts(role)
    .name.toLowerCase()
    .replaceAll(/[^a-z0-9]+/g, '-')
    .slice(0, LONGEST_PART);
  return ['import', part.replaceAll(/^-+|-+$/g, ''), hash].filter((word) => word !== '').join('-');
}

/** As in a manifest: what is the default is left out. */
export function grantSpecOf({ roleArns, namespaces, serviceAccountNames, audiences }: ExactGrant): object {
  return {
    roleArns,
    namespaces: { names: namespaces },
    serviceAccountNames,
    ...(audiences.every((audience) => audience === STS_AUDIENCE) ? {} : { audiences }),
  };
}
