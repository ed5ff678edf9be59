import type { JournalEntry } from '@irsa-operator/testbed';
import { foreign, sameForeign } from './documents.ts';

/** A stale reader is so far behind at most, and a call, its latency and a busy machine take the rest. */
export const STALE_MS = 4_000;
const WINDOW_MS = STALE_MS + 3_000;

/** What a testbed tells. */
interface Sent {
  readonly aws: { readonly journal: readonly Pick<JournalEntry, 'at' | 'operation' | 'code' | 'params'>[] };
  readonly issuer: string;
}

interface Version {
  readonly at: number;
  readonly text: string;
}

/** Each role's documents as their owners wrote them. */
export interface Histories {
  owned(role: string, text: string): void;
  of(role: string): readonly Version[];
}

export function histories(now: () => number = Date.now): Histories {
  const byRole = new Map<string, Version[]>();
  return {
    owned: (role, text) => void byRole.set(role, [...(byRole.get(role) ?? []), { at: now(), text }]),
    of: (role) => byRole.get(role) ?? [],
  };
}

/**
 * Every document that the operator sent carries the foreign statements of one that stood within the window before: IAM has no compare-and-swap,
 * so what changes between its read and its write can be reverted by it once (docs say so), and nothing else can be. `races` are those.
 */
export function foreignChanges({ aws, issuer }: Sent, all: Histories): { wrong: string[]; writes: number; races: number } {
  const result = { wrong: [] as string[], writes: 0, races: 0 };
  const sent = aws.journal.filter(({ operation, code }) => operation === 'UpdateAssumeRolePolicy' && code === 'OK');
  const versions = new Map<string, Version[]>();
  for (const { at, params } of sent) {
    const { RoleName: role = '', PolicyDocument: text = '' } = params;
    result.writes++;
    const before = [...all.of(role).filter((version) => version.at <= at.getTime()), ...(versions.get(role) ?? [])].sort(
      (a, b) => a.at - b.at,
    );
    const current = before.at(-1);
    // The oldest version that was still there at the beginning of the window, and everything since.
    const since = before.findLastIndex((version) => version.at <= at.getTime() - WINDOW_MS);
    const possible = before.slice(Math.max(0, since));
    const carries = (version: Version) => sameForeign(foreign(text, issuer), foreign(version.text, issuer));
    if (current !== undefined && !carries(current)) {
      if (possible.some(carries)) result.races++;
      else result.wrong.push(`${at.toISOString()}: role ${role} was sent ${text}, where ${current.text} stood`);
    }
    versions.set(role, [...(versions.get(role) ?? []), { at: at.getTime(), text }]);
  }
  return result;
}
