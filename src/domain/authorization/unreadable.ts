import { byName } from '../../api/by-name.ts';
import { cut } from '../../api/cut.ts';
import { type Finding, finding } from '../../api/finding.ts';
import type { IrsaGrant } from '../../api/grant.ts';
import { isProblem } from '../../api/problem.ts';

/** Of a problem: it may have a sentence for each of hundreds of entries. */
const MOST_SAID = 512;

/** What to say of the grants that do not parse, in one message however many there are. They have no status that could say it. */
export function unreadableGrants(grants: readonly IrsaGrant[]): Finding | undefined {
  const all = grants.flatMap(({ name, spec }) => (isProblem(spec) ? [{ name, problem: spec.problem }] : [])).toSorted(byName);
  const [first] = all;
  if (first === undefined) return undefined;
  const others = all.length === 1 ? '' : `. Other IrsaGrants that cannot be read: ${all.length - 1}`;
  const text = `IrsaGrant "${first.name}" cannot be read, and grants nothing until you correct it: ${cut(first.problem, MOST_SAID)}${others}`;
  return finding('InvalidSpec', text);
}
