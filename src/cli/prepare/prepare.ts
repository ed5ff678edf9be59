import type { RoleArn } from '../../api/arn.ts';
import { providerArnFor } from '../../api/arn.ts';
import type { Finding } from '../../api/finding.ts';
import type { Issuer } from '../../api/issuer.ts';
import { isProblem } from '../../api/problem.ts';
import { quotaFrom } from '../../domain/state/identify.ts';
import { type ClusterName, oursIn } from '../../domain/state/identity.ts';

import { parseDocument } from '../../trust/document/document.ts';
import { ownStatementTexts } from '../../trust/own-subjects.ts';
import { editReport, type Row } from '../edit-report.ts';
import { editRoles } from '../edit-roles.ts';
import { clusterNamed, issuerFrom } from '../issuer-flag.ts';
import type { CommandPorts } from '../ports.ts';
import type { Reporter, Statement } from '../report.ts';
import { type Candidate, candidatesOf } from './candidates.ts';
import { decidePreparation } from './decide.ts';
import { readManifests } from './manifests.ts';
import { providerFindings } from './provider-findings.ts';
import { sourceOf } from './source.ts';

/** Writes the statements that another cluster's bindings will need, before its first pod starts. Its operator takes them over. */
export const prepare: Reporter<Row> = async (given, ports, signals) => {
  const issuer = issuerFrom(given, 'issuer');
  const cluster = clusterNamed(issuer, given);
  const write = given['dry-run'] !== true;
  const paths = given['filename'];
  const source = Array.isArray(paths) ? await readManifests(paths.map(String)) : await sourceOf(ports.cluster(), signals.stop);
  const { candidates, others } = candidatesOf(source, issuer, await ports.caller(signals.stop));
  const lacking = await lackingOf(candidates, issuer, ports, signals.stop);
  const quota = await quotaOf(ports, signals.stop);
  const roles = Map.groupBy(write ? candidates.filter(({ audience }) => !lacking.has(audience)) : candidates, ({ role }) => role);
  const statements: Statement[] = [];
  const edited = await editRoles(
    {
      roles: roles.keys(),
      cluster,
      write,
      decide: async (role, fresh) => {
        const wanted = { role, candidates: roles.get(role) ?? [], cluster, quota, now: ports.clock.now(), write };
        const decision = decidePreparation(wanted, fresh);
        statements.push(...statementsOf(role, decision.plan?.document ?? fresh.policy, cluster));
        return decision;
      },
    },
    ports,
    signals,
  );
  const provider = [...lacking].map(
    ([audience, { code, message }]): Row => ({ result: 'refused', audience, message: `${code}: ${message}` }),
  );
  return editReport({
    issuer,
    rows: [...provider, ...edited, ...others],
    ...(write ? {} : { statements }),
    nothing: `there is no binding in ${source.of}`,
  });
};

/** By audience. Every role is in the one account that the credentials reach. */
async function lackingOf(
  candidates: readonly Candidate[],
  issuer: Issuer,
  { providers }: CommandPorts,
  signal: AbortSignal,
): Promise<ReadonlyMap<string, Finding>> {
  const [first] = candidates;
  if (first === undefined) return new Map();
  const clientIds = await providers.clientIds(providerArnFor(first.role, issuer), signal, 'change');
  return providerFindings(first.role, issuer, [...new Set(candidates.map(({ audience }) => audience))], clientIds);
}

async function quotaOf({ roles }: CommandPorts, signal: AbortSignal): Promise<number> {
  const [asked] = await Promise.allSettled([roles.policyQuota(signal, 'change')]);
  const quota = quotaFrom(asked, undefined);
  if (quota === undefined) throw asked.status === 'rejected' ? asked.reason : new TypeError('a quota without a number');
  return quota;
}

function statementsOf(role: RoleArn, policy: string, cluster: ClusterName): Statement[] {
  const document = parseDocument(policy);
  if (isProblem(document)) return [];
  return ownStatementTexts(document, oursIn(cluster, role)).map((text) => ({ role, statement: JSON.parse(text) }));
}
