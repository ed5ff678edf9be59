import { CHANGE_FLAGS, GET_FLAGS, RECONCILE_FLAGS } from './cli/bindings/flags.ts';
import { CHECK_FLAGS } from './cli/check/flags.ts';
import { CLUSTER_ID_FLAG } from './cli/cluster-id.ts';
import { REPORT_FLAGS } from './cli/cluster-report/flags.ts';
import type { Command, Execute, Flags } from './cli/command.ts';
import { EXPLAIN_FLAGS } from './cli/explain/flags.ts';
import { IMPORT_FLAGS } from './cli/import/flags.ts';
import { PLAN_FLAGS } from './cli/plan/flags.ts';
import type { Reporter } from './cli/report.ts';
import { RUN_FLAGS } from './config.ts';

const OUTPUT: Flags = {
  output: { type: 'string', short: 'o', value: 'table|json|yaml', default: 'table', help: 'how the report is written' },
};

/** A command that reports, and how its body is loaded. */
function reporting(summary: string, flags: Flags, load: () => Promise<Reporter>): Command {
  return {
    summary,
    flags: { ...flags, ...OUTPUT },
    async load(): Promise<Execute> {
      const [{ report }, reporter] = await Promise.all([import('./terminal.ts'), load()]);
      return (call) => report(call, reporter);
    },
  };
}

/** Every command, by the word that a user types: the source of the parser and of the help. */
export const COMMANDS: Readonly<Record<string, Command>> = {
  run: {
    summary: 'keep role trust, ServiceAccount annotations and pods in agreement',
    flags: RUN_FLAGS,
    load: async () => (await import('./run.ts')).run,
  },
  check: {
    summary: 'say why a pod does not get its AWS role, and what fixes it. Writes nothing',
    flags: CHECK_FLAGS,
    operands: 'TYPE/NAME',
    completes: 'workloads',
    load: async () => (await import('./check.ts')).check,
  },
  explain: {
    summary: 'print the page of a finding, or find what is behind the sentences of AWS in a log',
    flags: EXPLAIN_FLAGS,
    operands: 'CODE',
    completes: 'findings',
    load: async () => (await import('./cli/explain/explain.ts')).explain,
  },
  plan: {
    summary: 'print what irsa-operator would change for bindings, as diffs. Writes nothing',
    flags: PLAN_FLAGS,
    operands: 'NAME',
    completes: 'bindings',
    load: async () => (await import('./plan.ts')).planBindings,
  },
  import: {
    summary: 'print bindings and exact grants for ServiceAccounts that are annotated already. Writes nothing',
    flags: IMPORT_FLAGS,
    load: async () => (await import('./import.ts')).importBindings,
  },
  report: {
    summary: 'write one page about the whole cluster, in HTML or Markdown. Writes nothing else',
    flags: REPORT_FLAGS,
    load: async () => (await import('./cluster-report.ts')).reportCluster,
  },
  get: {
    summary: 'print the bindings, with filters',
    flags: GET_FLAGS,
    operands: 'NAME',
    completes: 'bindings',
    load: async () => (await import('./bindings.ts')).getBindings,
  },
  reconcile: {
    summary: 'have bindings reconciled now, with role and OIDC provider read again',
    flags: RECONCILE_FLAGS,
    operands: 'NAME',
    completes: 'bindings',
    load: async () => (await import('./bindings.ts')).reconcileBindings,
  },
  suspend: {
    summary: 'suspend bindings: irsa-operator then changes nothing for them',
    flags: CHANGE_FLAGS,
    operands: 'NAME',
    completes: 'bindings',
    load: async () => (await import('./bindings.ts')).suspendBindings,
  },
  resume: {
    summary: 'resume suspended bindings',
    flags: CHANGE_FLAGS,
    operands: 'NAME',
    completes: 'bindings',
    load: async () => (await import('./bindings.ts')).resumeBindings,
  },
  prepare: reporting(
    "write the statements that another cluster's bindings will need",
    {
      issuer: { type: 'string', value: 'URL', help: 'the issuer of the other cluster' },
      'cluster-id': CLUSTER_ID_FLAG,
      'dry-run': { type: 'boolean', help: 'print the statements, and write nothing' },
      filename: {
        type: 'string',
        short: 'f',
        multiple: true,
        value: 'FILE|FOLDER',
        help: 'manifests with the bindings and their grants, in place of those of this cluster',
      },
    },
    async () => (await import('./cli/prepare/prepare.ts')).prepare,
  ),
  prune: reporting(
    "list, or remove, the subjects of this cluster's statements that no binding names",
    {
      confirm: { type: 'boolean', help: 'remove them. Without it they are only listed' },
      ungranted: { type: 'boolean', help: 'those that no grant covers, whether a binding names them or not' },
      'cluster-id': CLUSTER_ID_FLAG,
      'sole-cluster': { type: 'boolean', help: 'no other cluster has this issuer' },
      'oidc-issuer': { type: 'string', value: 'URL', help: "this cluster's issuer, where its API server does not say" },
      'eks-cluster-name': { type: 'string', value: 'NAME', help: 'the issuer must then be the one that eks:DescribeCluster reports' },
    },
    async () => (await import('./cli/prune/prune.ts')).prune,
  ),
  release: reporting(
    'remove the statements of a deleted cluster',
    {
      issuer: { type: 'string', value: 'URL', help: 'the issuer of the deleted cluster' },
      'cluster-id': CLUSTER_ID_FLAG,
      'dry-run': { type: 'boolean', help: 'print what would be removed, and write nothing' },
    },
    async () => (await import('./cli/release.ts')).release,
  ),
  completion: {
    summary: 'print the completion of a shell, with names from the cluster',
    flags: {},
    operands: 'bash|zsh|fish',
    completes: 'shells',
    load: async () => (await import('./cli/completion/completion.ts')).completion,
  },
  version: {
    summary: 'print the version',
    flags: {},
    load:
      async () =>
      async ({ version }) => {
        console.log(version);
        return 0;
      },
  },
};
