import type { AuditEvent, JournalEntry, Testbed } from '@irsa-operator/testbed';
import { OPERATOR_USER } from '../harness/objects.ts';
import type { RunningOperator } from '../harness/operator.ts';

/** Written by every replica, or by a standby too. */
const NOT_WORK = ['leases', 'events'];
const CREDENTIAL = 'authentication.kubernetes.io/credential-id';

/** Who wrote, in order, each named once for an uninterrupted run of writes: of two writers at a time one would be named twice. */
export function writers(audit: readonly AuditEvent[], journal: readonly JournalEntry[]): { audit: string[]; aws: string[] } {
  return { audit: runs(workIn(audit).map(credentialOf)), aws: runs(writesIn(journal).map(sessionOf)) };
}

/** What one replica began to write after a moment, in either place. */
export async function writesAfter(testbed: Testbed, { credentialId, name }: RunningOperator, moment: Date): Promise<string[]> {
  const audit = workIn(await testbed.auditEvents()).filter(
    (event) => credentialOf(event) === credentialId && new Date(event.requestReceivedTimestamp) > moment,
  );
  const aws = writesIn(testbed.aws.journal).filter((entry) => sessionOf(entry) === name && entry.at > moment);
  const after = (at: Date | string) => `${new Date(at).getTime() - moment.getTime()} ms after`;
  return [
    ...audit.map(
      ({ verb, requestURI, responseStatus, requestReceivedTimestamp }) =>
        `${after(requestReceivedTimestamp)}: ${verb} ${requestURI} ${responseStatus?.code}`,
    ),
    ...aws.map(({ operation, code, at }) => `${after(at)}: ${operation} ${code}`),
  ];
}

function workIn(audit: readonly AuditEvent[]): AuditEvent[] {
  return audit
    .filter(({ user, objectRef }) => user.username === OPERATOR_USER && !NOT_WORK.includes(objectRef?.resource ?? ''))
    .toSorted((a, b) => (a.requestReceivedTimestamp < b.requestReceivedTimestamp ? -1 : 1));
}

function writesIn(journal: readonly JournalEntry[]): JournalEntry[] {
  return journal.filter(({ operation }) => operation === 'UpdateAssumeRolePolicy');
}

const credentialOf = ({ user }: AuditEvent) => user.extra?.[CREDENTIAL]?.[0] ?? 'no token';
const sessionOf = ({ caller }: JournalEntry) => caller.slice(caller.lastIndexOf('/') + 1);

function runs(names: readonly string[]): string[] {
  return names.filter((name, i) => name !== names[i - 1]);
}
