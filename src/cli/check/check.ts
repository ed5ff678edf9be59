import { parseRoleArn, type RoleArn } from '../../api/arn.ts';
import { keyOf, type ObjectName, type ServiceAccount } from '../../api/cluster.ts';
import { Fault, isFault } from '../../api/fault.ts';
import { type Issuer, parseIssuer } from '../../api/issuer.ts';
import { isProblem } from '../../api/problem.ts';
import { asksForRole } from '../../domain/audit/audit.ts';
import { accept } from '../../domain/check/accept.ts';
import { valueIn } from '../../domain/check/engine.ts';
import { fixesOf, type Reach } from '../../domain/check/fixes.ts';
import { exitCodeOf, judge } from '../../domain/check/judge.ts';
import { type AwsSentence, lastSentence, permissionDenied } from '../../domain/check/log.ts';
import type { CheckSeen } from '../../domain/check/seen.ts';
import type { ExitCode, Given } from '../command.ts';
import { inTurns } from '../in-turns.ts';
import { type AcceptedBy, acceptsNothing } from './accepted/lists.ts';
import { Gatherer } from './gather.ts';
import type { CheckPorts, Where } from './ports.ts';
import type { Target } from './target.ts';
import type { Checked } from './text.ts';

/** What a check found, for whatever form it is written in. */
export interface CheckReport {
  readonly about: { readonly cluster: string; readonly issuer: string | undefined; readonly account: string | undefined };
  readonly checked: readonly Checked[];
  /** What is asked for with `--print trust`; undefined where it was not, or there is none. */
  readonly trust: string | undefined;
  /** Whether a note counts for the exit code. */
  readonly failOn: 'Warning' | 'Error';
  readonly exitCode: ExitCode;
}

/** Walks the checklist. Throws a `Fault` where it was asked for what makes no sense, or could not begin. */
export async function check(
  target: Target,
  given: Given,
  where: Where,
  ports: CheckPorts,
  reach: Reach,
  signal: AbortSignal,
  acceptedBy: AcceptedBy = acceptsNothing,
): Promise<CheckReport> {
  const roleArn = roleSaid(given);
  if (roleArn !== undefined && target.kind === 'all')
    throw new Fault(
      'invalid',
      `--role-arn: "${roleArn}" is one role, and many ServiceAccounts are meant. Name one, for example with --service-account`,
    );
  const gatherer = new Gatherer(ports, where, { issuer: issuerSaid(given), roleArn }, signal);
  const failOn = failOnSaid(given);
  const accounts = await accountsOf(target, ports, signal);
  if (given['print'] === 'trust' && accounts.length > 1)
    throw new Fault('invalid', `--print trust: ${accounts.length} ServiceAccounts are meant. Name one, for example with --service-account`);
  await gatherer.expect(accounts.filter((one) => 'annotations' in one));
  const look = async (of: ObjectName): Promise<Checked> => {
    const seen = await gatherer.see({ namespace: of.namespace, name: of.name });
    const found = judge(seen);
    const log = target.kind === 'all' ? undefined : await logOf(seen, ports, signal);
    const denied = log === undefined ? undefined : permissionDenied(log, found.engine?.spec.roleArn);
    const notes = denied === undefined ? found.notes : [...found.notes, denied];
    return {
      namespace: of.namespace,
      name: of.name,
      check: accept({ ...found, notes }, (code) => acceptedBy(of, code)),
      fixes: fixesOf(seen, found, reach),
      log,
      places: ports.files?.placesOf(of) ?? {},
    };
  };
  const checked = await inTurns(accounts, look, (done, total) => ports.progress(done, total, 'ServiceAccounts'));
  const known = await gatherer.known();
  const codes = checked.map((one) => exitCodeOf(one.check, failOn));
  const account = valueIn(known.caller)?.account;
  return {
    about: { cluster: where.cluster, issuer: valueIn(known.issuer), account },
    checked,
    trust: given['print'] === 'trust' ? checked[0]?.fixes.trust : undefined,
    failOn,
    // Of many, one that could not be looked at makes all of it uncertain.
    exitCode: target.kind === 'all' && codes.includes(2) ? 2 : (codes.find((code) => code !== 0) ?? 0),
  };
}

async function accountsOf(
  target: Target,
  { cluster, files, webhook }: CheckPorts,
  signal: AbortSignal,
): Promise<readonly (ObjectName | ServiceAccount)[]> {
  switch (target.kind) {
    case 'serviceAccount':
      return [target.of];
    case 'runner': {
      const { of, runner } = target;
      const name = await cluster.serviceAccountNameOf(runner, of, signal);
      if (name === undefined) throw new Fault('notFound', `there is no ${runner.slice(0, -1)} "${of.name}" in namespace "${of.namespace}"`);
      return [{ namespace: of.namespace, name }];
    }
    case 'all': {
      const asking = (await cluster.serviceAccounts(target, signal)).filter((account) => asksForRole(account, webhook));
      const known = new Set(asking.map(keyOf));
      return [...asking, ...(files?.named ?? []).filter((of) => !known.has(keyOf(of)))];
    }
  }
}

/** Of a pod that is not ready, if there is one: what AWS said to it is told by its log alone. */
async function logOf({ pods }: CheckSeen, { cluster }: CheckPorts, signal: AbortSignal): Promise<AwsSentence | undefined> {
  const living = (valueIn(pods) ?? []).filter(({ finished, deleting }) => !finished && !deleting);
  const pod = living.find(({ ready }) => !ready) ?? living[0];
  const container = pod?.containers.at(-1);
  if (pod === undefined || container === undefined) return undefined;
  try {
    return lastSentence(await cluster.lastWords(pod, container.name, signal));
  } catch (error) {
    if (isFault(error)) return undefined;
    throw error;
  }
}

function issuerSaid(given: Given): Issuer | undefined {
  const said = given['issuer'];
  if (typeof said !== 'string') return undefined;
  const issuer = parseIssuer(said);
  if (isProblem(issuer)) throw new Fault('invalid', `--issuer: ${issuer.problem}`);
  return issuer;
}

function roleSaid(given: Given): RoleArn | undefined {
  const said = given['role-arn'];
  if (typeof said !== 'string') return undefined;
  const role = parseRoleArn(said);
  if (isProblem(role)) throw new Fault('invalid', `--role-arn: ${role.problem}`);
  return role;
}

function failOnSaid(given: Given): 'Warning' | 'Error' {
  const said = given['fail-on'];
  if (said === 'Warning' || said === 'Error') return said;
  throw new Fault('invalid', `--fail-on: "${said}" is neither Warning nor Error`);
}
