import { readFileSync, writeFileSync } from 'node:fs';

/** One request to the API server, as it ended. The fields of `audit.k8s.io/v1` that tests look at; all others are there too. */
export interface AuditEvent {
  auditID: string;
  stage: 'ResponseStarted' | 'ResponseComplete' | 'Panic';
  verb: string;
  requestURI: string;
  /** `extra` has the ID of the token that was shown. */
  user: { username: string; groups?: string[]; extra?: Record<string, string[]> };
  userAgent?: string;
  objectRef?: { apiGroup?: string; apiVersion?: string; resource: string; subresource?: string; namespace?: string; name?: string };
  responseStatus?: { code: number; reason?: string };
  /** RFC 3339 with microseconds. */
  requestReceivedTimestamp: string;
  stageTimestamp: string;
  annotations?: Record<string, string>;
}

/** The user as which the operator runs where it is installed as it ships. */
export const OPERATOR_USER = 'system:serviceaccount:irsa-operator-system:irsa-operator';
const READS = ['get', 'list', 'watch'];

/**
 * Who wrote what, and what was refused; no bodies. Reads are many, and are left out but for the operator's, whose rights are compared with what it
 * uses, and those of nobody, as whom a token that is refused counts.
 */
export function writeAuditPolicy(path: string): void {
  const policy = {
    apiVersion: 'audit.k8s.io/v1',
    kind: 'Policy',
    omitStages: ['RequestReceived'],
    rules: [
      { level: 'Metadata', users: [OPERATOR_USER] },
      { level: 'None', verbs: READS, userGroups: ['system:authenticated'] },
      { level: 'Metadata' },
    ],
  };
  writeFileSync(path, JSON.stringify(policy));
}

/** Writes, in the order in which the requests ended. */
export function readAuditLog(path: string): AuditEvent[] {
  return parseAuditLog(readFileSync(path, 'utf8')).filter((event) => !READS.includes(event.verb) && !isDryRun(event) && !isReview(event));
}

/** Answered as a write would be, and nothing is changed. */
export const isDryRun = ({ requestURI }: AuditEvent): boolean => /[?&]dryRun=All\b/.test(requestURI);

/** A question about the user itself, in the form of a write. */
const isReview = ({ objectRef }: AuditEvent): boolean => /^selfsubject(access)?reviews$/.test(objectRef?.resource ?? '');

/** What follows the last line end is being written at this moment. */
export function parseAuditLog(log: string): AuditEvent[] {
  return log
    .slice(0, log.lastIndexOf('\n') + 1)
    .split('\n')
    .filter((line) => line !== '')
    .map((line) => JSON.parse(line));
}
