import type { JournalEntry } from './journal.ts';
import { sidOf } from './policy/identity-policy.ts';
import { listOf } from './policy/json.ts';
import { readPolicy } from './policy/statement.ts';
import { matchesPattern, patternOf } from './policy/wildcard.ts';

type Allowed = Pick<JournalEntry, 'service' | 'operation' | 'allowedBy' | 'tagSessionAllowedBy'>;

/** What an identity policy allows and no call of the journal needed: `Sid: action`, for each action of each Allow. */
export function unusedGrants(document: string, journal: readonly Allowed[]): string[] {
  const statements = readPolicy(document)?.statements ?? [];
  const used = (sid: string, action: string): boolean =>
    journal.some(
      ({ service, operation, allowedBy = [], tagSessionAllowedBy = [] }) =>
        (allowedBy.includes(sid) && matchesAction(action, `${service}:${operation}`)) ||
        (tagSessionAllowedBy.includes(sid) && matchesAction(action, 'sts:TagSession')),
    );
  return statements
    .filter((statement) => statement.get('Effect') === 'Allow')
    .map((statement) => ({ sid: sidOf(statement, statements), actions: listOf(statement.get('Action')).map(String) }))
    .flatMap(({ sid, actions }) => actions.filter((action) => !used(sid, action)).map((action) => `${sid}: ${action}`));
}

function matchesAction(wanted: string, action: string): boolean {
  return matchesPattern(patternOf(wanted.toLowerCase()), action.toLowerCase());
}
