import { parseRoleArn, type RoleArn } from './api/arn.ts';
import { isProblem, type Problem, problem } from './api/problem.ts';
import type { AwsSettings } from './cli/check/aws-settings.ts';
import { accountInFiles } from './cli/check/files/account.ts';
import { manifestsIn } from './cli/check/files/documents.ts';
import { iamFileIn } from './cli/check/files/iam-files.ts';
import { completed, inFiles } from './cli/check/files/in-files.ts';
import type { CheckPorts, Where } from './cli/check/ports.ts';
import { type Target, targetFrom } from './cli/check/target.ts';
import type { Given } from './cli/command.ts';
import { noProgress } from './cli/progress.ts';
import { textOf } from './cli/text-file.ts';
import { readTexts } from './cli/texts.ts';
import { webhookFrom } from './cli/webhook-flags.ts';
import { roleAnnotation } from './domain/audit/audit.ts';
import { POD_LABELS, podAnnotations } from './domain/pods/pod-state.ts';
import { parseRoleAnnotation } from './domain/service-account/annotations.ts';
import type { JsonObject } from './kube/objects.ts';
import { readDocuments } from './kube/read-documents.ts';
import { systemClock } from './runtime/clock.ts';

/** What is checked, and where it is looked at. */
export interface Source {
  readonly target: Target;
  readonly where: Where;
  readonly ports: CheckPorts;
  /** With what AWS is called. */
  readonly aws: AwsSettings;
  close(): Promise<void>;
}

/** What of a pod decides. */
export const KEPT = { labels: POD_LABELS, annotations: podAnnotations };

/** Of the largest accounts that AWS allows: five thousand roles with all their policies. */
const MAX_IAM_BYTES = 256 * 1024 * 1024;
/** They lead to a cluster and an account, and neither is asked. */
const LIVE_FLAGS = ['all-namespaces', 'context', 'kubeconfig', 'as', 'as-group', 'profile', 'region', 'selector'];

const NOBODY: AwsSettings = { region: undefined, profile: undefined, clusterName: undefined };

/** Manifests in place of a cluster, and files of IAM in place of an account. Nothing is asked over the network. Throws `Fault`. */
export async function fromFiles(given: Given, operands: readonly string[]): Promise<Source | Problem> {
  const odd = LIVE_FLAGS.find((name) => given[name] !== undefined);
  if (odd !== undefined) return problem(`-f reads files, and no cluster. Leave out --${odd}`);
  const namespace = typeof given['namespace'] === 'string' ? given['namespace'] : 'default';
  const isNamed = operands.length > 0 || given['service-account'] !== undefined;
  const webhook = webhookFrom(given);
  if (isProblem(webhook)) return webhook;
  const target: Target | Problem = isNamed ? targetFrom(operands, given, namespace) : { kind: 'all', namespace: undefined };
  if (isProblem(target)) return target;
  const paths = valuesOf(given, 'filename');
  const iamPaths = valuesOf(given, 'iam');
  const manifests = completed(manifestsIn(await readTexts(paths)), namespace);
  // Parsed by YAML and by JSON alike: nothing else comes out of them.
  const { cluster, bindings, grants } = readDocuments(
    manifests.map(({ raw }) => raw as JsonObject),
    KEPT,
    webhook,
  );
  const iam = await Promise.all(iamPaths.map(async (file) => iamFileIn({ file, text: await textOf(file, MAX_IAM_BYTES) })));
  const annotated = (await cluster.serviceAccounts({ namespace: undefined }, new AbortController().signal)).flatMap(
    (account) => roleAnnotation(account, webhook) ?? [],
  );
  const bound = bindings.flatMap(({ spec }) => (isProblem(spec) ? [] : [spec.roleArn]));
  const wanted = [...annotated.map(parseRoleAnnotation), ...bound.map(parseRoleArn)].filter((arn): arn is RoleArn => !isProblem(arn));
  const where: Where = { what: 'files', cluster: paths.join(', '), namespace, server: '', region: undefined, profile: undefined };
  const ports = {
    cluster,
    aws: accountInFiles(iam, wanted),
    clock: systemClock,
    progress: noProgress,
    webhook,
    files: inFiles(manifests, bindings, grants, webhook),
  };
  return { target, where, ports, aws: NOBODY, close: async () => {} };
}

function valuesOf(given: Given, name: string): string[] {
  const values = given[name];
  return Array.isArray(values) ? values.map(String) : [];
}
