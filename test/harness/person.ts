import { readFileSync } from 'node:fs';
import { type Testbed, until } from '@irsa-operator/testbed';
import { parse } from 'yaml';

interface Rule {
  readonly resources?: readonly string[];
  readonly verbs: readonly string[];
}

/** A user of the cluster who has exactly the rights of one file of config/rbac, and no others. */
export interface Person {
  readonly name: string;
  /** Every right of the file, as `VERB RESOURCE`. */
  readonly rights: readonly string[];
  /** Takes one of them away until `work` is done. */
  without(right: string, work: () => Promise<void>): Promise<void>;
}

export async function personWith(testbed: Testbed, file: string, name: string): Promise<Person> {
  const manifest = parse(readFileSync(file, 'utf8')) as { metadata: { name: string }; rules: readonly Rule[] };
  const role = `${manifest.metadata.name}-${name}`;
  const allow = (rules: readonly Rule[]) =>
    testbed.kubectl(['apply', '-f', '-'], { input: JSON.stringify({ ...manifest, metadata: { name: role }, rules }) });
  await allow(manifest.rules);
  await testbed.kubectl(['create', 'clusterrolebinding', role, `--clusterrole=${role}`, `--user=${name}`]);
  const rights = manifest.rules.flatMap(({ resources = [], verbs }) => verbs.flatMap((verb) => resources.map((one) => `${verb} ${one}`)));
  return {
    name,
    rights,
    async without(right, work) {
      const [verb, resource = ''] = right.split(' ');
      const narrowed = manifest.rules.flatMap((rule) => [
        { ...rule, resources: (rule.resources ?? []).filter((one) => one !== resource) },
        { ...rule, resources: (rule.resources ?? []).filter((one) => one === resource), verbs: rule.verbs.filter((one) => one !== verb) },
      ]);
      await allow(narrowed.filter(({ resources, verbs }) => resources.length > 0 && verbs.length > 0));
      await work();
      await allow(manifest.rules);
    },
  };
}

/** What may be done by whom is known to the API server a moment after it is said. */
export const eventually = <T>(what: string, ask: () => Promise<T | false>) => until(what, ask, { timeoutMs: 30_000 });
