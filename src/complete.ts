import { isProblem } from './api/problem.ts';
import { targetKindOf } from './cli/check/target.ts';
import type { Completed } from './cli/command.ts';
import { type Candidate, complete, fitting } from './cli/completion/complete.ts';
import { COMMANDS } from './commands.ts';
import { kubeFrom, proxyFrom } from './config.ts';
import { connectAs } from './connect-as.ts';
import { contextNames } from './kube/config.ts';
import { namesOf } from './kube/names.ts';
import type { ResourceType } from './kube/paths.ts';
import { TARGET_TYPES } from './kube/read-cluster.ts';
import { DAEMON_SET, DEPLOYMENT, IRSA_BINDING, NAMESPACE, SERVICE_ACCOUNT, STATEFUL_SET } from './kube/resource-types.ts';
import type { Transport } from './kube/transport.ts';
import { systemClock } from './runtime/clock.ts';

/** As cobra has them, which kubectl reads of a plugin: whether files fit too. */
const FILES = ':0';
const NO_FILES = ':4';
/** A shell waits for it, and so does a person. */
const DEADLINE_MS = 3_000;
const OF_PODS: Readonly<Record<string, ResourceType>> = { deploy: DEPLOYMENT, sts: STATEFUL_SET, ds: DAEMON_SET };

type Names = Extract<ReturnType<typeof complete>, { kind: 'names' }>;

/** Prints the words that fit the last one, for a shell. What cannot be asked has none: nobody wants an error in the middle of a line. */
export async function printCompletion(words: readonly string[], version: string): Promise<void> {
  const found = complete(COMMANDS, words);
  const candidates =
    found.kind === 'words' ? found.words : found.kind === 'names' ? await candidatesOf(found, version).catch(() => []) : [];
  const lines = candidates.map(({ word, help }) => (help === undefined ? word : `${word}\t${help}`));
  console.log([...lines, found.kind === 'files' ? FILES : NO_FILES].join('\n'));
}

async function candidatesOf(asked: Names, version: string): Promise<readonly Candidate[]> {
  const { what, prefix, begin, given } = asked;
  const options = {
    ...kubeFrom(process.env),
    ...(typeof given['kubeconfig'] === 'string' && { kubeconfig: given['kubeconfig'] }),
    clock: systemClock,
  };
  if (what === 'contexts') return wordsIn(fitting(contextNames(options), prefix, begin));
  if (isProblem(proxyFrom(process.env))) return [];
  const { context, transport } = connectAs(version, given);
  try {
    const namespace = typeof given['namespace'] === 'string' && given['namespace'] !== '' ? given['namespace'] : context.namespace;
    return wordsIn(fitting(await namesFor(what, begin, namespace, transport), prefix, begin));
  } finally {
    await transport.close();
  }
}

const wordsIn = (found: ReturnType<typeof fitting>): readonly Candidate[] => (found.kind === 'words' ? found.words : []);

async function namesFor(what: Completed, begin: string, namespace: string, transport: Transport): Promise<readonly string[]> {
  const signal = AbortSignal.timeout(DEADLINE_MS);
  switch (what) {
    case 'namespaces':
      return namesOf(transport, NAMESPACE, signal);
    case 'bindings':
      return namesOf(transport, IRSA_BINDING, signal, namespace);
    case 'accounts':
      return namesOf(transport, SERVICE_ACCOUNT, signal, namespace);
    case 'workloads': {
      const [type, name] = begin.split('/');
      if (type === undefined || name === undefined)
        return (await Promise.all(Object.keys(OF_PODS).map((kind) => namesBehind(kind, namespace, transport, signal)))).flat();
      return namesBehind(type, namespace, transport, signal);
    }
    default:
      return [];
  }
}

/** `deploy/app`, by the word that was typed. */
async function namesBehind(word: string, namespace: string, transport: Transport, signal: AbortSignal): Promise<string[]> {
  const kind = targetKindOf(word);
  if (kind === undefined) return [];
  const type = kind === 'serviceaccounts' ? SERVICE_ACCOUNT : TARGET_TYPES[kind];
  return (await namesOf(transport, type, signal, namespace)).map((name) => `${word}/${name}`);
}
