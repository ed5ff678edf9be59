import { mkdirSync, writeFileSync } from 'node:fs';
import { basename, join } from 'node:path';
import type { Api, Testbed } from '@irsa-operator/testbed';
import { ONLY_OPERATOR } from '../../src/api/seen-by.ts';
import { runCommand } from './command.ts';
import { lookedAt } from './looked-at.ts';
import { pathOf } from './objects.ts';
import type { PlanParity } from './plan-parity.ts';
import { type Binding, isElsewhere } from './views.ts';

/** A suite with thousands of bindings has the same ones again and again. */
const MOST_COMPARED = 60;

/** Set by `make parity`: a folder, in which each suite leaves what it found. */
export const PARITY_FOLDER = 'CHECK_PARITY';

/** Which audiences open the API server is in a token. The admin of the testbed shows a certificate. */
const NOT_BY_CERTIFICATE: ReadonlySet<string> = new Set(['AudienceForbidden']);
/** An annotation of a pod keeps an operator from restarting it, and no person. */
const NOT_OF_PERSON: ReadonlySet<string> = new Set(['PodNotRestartable']);
/** An operator waits for a ServiceAccount that is yet to come. A person who names one has it in mind today. */
const CHECK_SOONER: ReadonlySet<string> = new Set(['ServiceAccountMissing']);

/** What was compared in a suite: how many bindings were compared, how many could not be, and where the two differ. */
export interface Parity {
  readonly compared: number;
  readonly leftOut: number;
  /** Codes that both have. */
  readonly codes: readonly string[];
  readonly differences: readonly Difference[];
}

/** What differs between a binding that observes and `check` on the same ServiceAccount and role. */
interface Difference {
  readonly binding: string;
  readonly role: string;
  readonly onlyOperator: readonly string[];
  readonly onlyCheck: readonly string[];
}

interface Report {
  readonly results: readonly {
    readonly steps: readonly { readonly findings: readonly { readonly code: string }[] }[];
    readonly notes: readonly { readonly code: string }[];
  }[];
}

/**
 * Lets each binding that is left observe, and asks `check` the same. What comes after the first step that fails is told by `check` alone: an
 * operator stops there.
 */
export async function compareWithCheck(testbed: Testbed, api: Api): Promise<Parity> {
  const { items } = await api.call<{ items: Binding[] }>('GET', pathOf('irsabindings'));
  const differences: Difference[] = [];
  const codes = new Set<string>();
  let [compared, leftOut] = [0, 0];
  for (const { metadata, spec } of items.slice(0, MOST_COMPARED)) {
    const { namespace = '', name } = metadata;
    const path = pathOf('irsabindings', { namespace, name });
    const observing = await lookedAt(api, path, 'Observe').catch(() => undefined);
    if (observing === undefined || isRefused(observing) || isElsewhere(observing)) {
      leftOut += 1;
      continue;
    }
    compared += 1;
    const credentials = testbed.aws.env({ roleName: 'parity', sessionName: 'jane' });
    const args = ['check', '-n', namespace, '--service-account', spec.serviceAccountName, '--role-arn', spec.roleArn, '-o', 'json'];
    const { stdout, stderr } = await runCommand(testbed.aws, args, { kubeconfig: testbed.kubeconfig, credentials });
    if (stdout === '') throw new Error(stderr);
    const [one] = (JSON.parse(stdout) as Report).results;
    const failing = one?.steps.find(({ findings }) => findings.length > 0)?.findings ?? [];
    const all = new Set([...(one?.steps ?? []).flatMap(({ findings }) => findings), ...(one?.notes ?? [])].map(({ code }) => code));
    const operator = (observing.status?.findings ?? []).map(({ code }) => code).filter((code) => !(code in ONLY_OPERATOR));
    for (const code of operator) if (all.has(code)) codes.add(code);
    const onlyOperator = operator.filter((code) => !all.has(code) && !NOT_BY_CERTIFICATE.has(code) && !NOT_OF_PERSON.has(code));
    const onlyCheck = operator.length === 0 ? failing.map(({ code }) => code).filter((code) => !CHECK_SOONER.has(code)) : [];
    if (onlyOperator.length + onlyCheck.length > 0)
      differences.push({ binding: `${namespace}/${name}`, role: spec.roleArn, onlyOperator, onlyCheck });
  }
  return { compared, leftOut, codes: [...codes].toSorted(), differences };
}

/** Without a grant. */
const isRefused = ({ status }: Binding): boolean =>
  (status?.findings ?? []).some(({ code }) => code in ONLY_OPERATOR && code !== 'TrustOrphaned');

/** What a suite leaves for `scripts/parity.ts`. */
export interface SuiteParity {
  readonly check: Parity;
  readonly plan: PlanParity;
}

export function writeParity(folder: string, { folder: suite }: Testbed, parity: SuiteParity): void {
  mkdirSync(folder, { recursive: true });
  // A file may have several suites, each with a testbed of its own.
  writeFileSync(join(folder, `${basename(suite)}.json`), JSON.stringify(parity));
}
