import { createHash } from 'node:crypto';
import { isAbsolute } from 'node:path';
import { pathToFileURL } from 'node:url';
import type { ObjectName } from '../../../api/cluster.ts';
import type { FindingCode } from '../../../api/finding.ts';
import type { CheckReport } from '../check.ts';
import type { Place } from '../text.ts';
import { type Result, resultsOf, slashed, unreadOf } from './results.ts';

/** SARIF 2.1.0, as GitHub code scanning takes it: without a file it shows no result, so a check of a cluster is for other readers. */
export function sarif(report: CheckReport, version: string): string {
  const results = resultsOf(report);
  const unread = unreadOf(report);
  const codes = [...new Set(results.map(({ code }) => code))].toSorted();
  const compared = results.some(({ accepted }) => accepted?.by === 'baseline');
  const run = {
    tool: { driver: { name: 'irsa-operator', version, rules: codes.map(rule) } },
    invocations: [
      {
        executionSuccessful: unread.length === 0,
        toolExecutionNotifications: unread.map(({ of, message, place }) => ({
          level: 'error',
          message: { text: withoutLinks(message) },
          locations: [location(of, place)],
        })),
      },
    ],
    columnKind: 'utf16CodeUnits',
    results: results.map((one) => ({
      ruleId: one.code,
      ruleIndex: codes.indexOf(one.code),
      level: one.level,
      message: { text: withoutLinks(one.message) },
      locations: [location(one.of, one.place)],
      partialFingerprints: { primaryLocationLineHash: fingerprint(one) },
      // All of a run have it, or none.
      ...(compared && { baselineState: one.accepted?.by === 'baseline' ? 'unchanged' : 'new' }),
      ...(one.accepted?.by === 'ignore' && {
        suppressions: [{ kind: 'external', status: 'accepted', justification: one.accepted.reason }],
      }),
    })),
  };
  return `${JSON.stringify({ $schema: SCHEMA, version: '2.1.0', runs: [run] }, undefined, 2)}\n`;
}

const SCHEMA = 'https://docs.oasis-open.org/sarif/sarif/v2.1.0/errata01/os/schemas/sarif-schema-2.1.0.json';

function rule(code: FindingCode): object {
  // `TrustSubjectWhitespace`: a sentence that lacks its blanks.
  const words = code.replaceAll(/(?<=[a-z])(?=[A-Z])/g, ' ');
  const page = `docs/findings/${code}.md of irsa-operator has the cause and the fix.`;
  return { id: code, shortDescription: { text: words }, fullDescription: { text: `${words}. ${page}` }, help: { text: page } };
}

function location({ namespace, name }: ObjectName, place: Place | undefined): object {
  const logicalLocations = [{ name, fullyQualifiedName: `${namespace}/${name}`, kind: 'resource' }];
  if (place === undefined) return { logicalLocations };
  const { file, line, column } = place;
  return {
    physicalLocation: { artifactLocation: { uri: uriOf(file) }, region: { startLine: line, startColumn: column } },
    logicalLocations,
  };
}

/** Each segment is encoded for itself: a colon in the first one would make a scheme of it. */
const uriOf = (file: string): string =>
  isAbsolute(file) ? pathToFileURL(file).href : slashed(file).toWellFormed().split('/').map(encodeURIComponent).join('/');

/**
 * By what a finding is the same in the next run, wherever its line has moved to. GitHub compares this one and no other; where it is missing
 * its action takes the text of the line, and a role that is renamed would be another finding.
 */
function fingerprint({ of: { namespace, name }, code }: Result): string {
  return createHash('sha256')
    .update(JSON.stringify([namespace, name, code]))
    .digest('hex');
}

/** `[text](target)` is a link in every message, and messages quote what others wrote. */
const withoutLinks = (text: string): string => text.replaceAll('](', ']\\u0028');
