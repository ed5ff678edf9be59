import { readdir, stat } from 'node:fs/promises';
import { join } from 'node:path';
import { parseAllDocuments } from 'yaml';
import { bindingSpec, type IrsaBinding, parseBindingSpec } from '../../api/binding.ts';
import { keyOf, type Namespace } from '../../api/cluster.ts';
import { Fault } from '../../api/fault.ts';
import { grantSpec, type IrsaGrant, parseGrantSpec } from '../../api/grant.ts';
import { GROUP, VERSION } from '../../api/names.ts';
import { isProblem, type Problem, problem } from '../../api/problem.ts';
import { textOf, unreadable } from '../text-file.ts';
import type { Source } from './source.ts';

/** What API servers take unless they are told otherwise (EKS; kubeadm): the other cluster was not asked. */
const USUAL_API_AUDIENCE = 'https://kubernetes.default.svc';
const MANIFEST = /\.(ya?ml|json)$/;

/** Bindings, grants and namespaces in files, and in folders below which all manifests are read. Throws `Fault`: one bad document spoils all. */
export async function readManifests(paths: readonly string[]): Promise<Source> {
  const files = (await Promise.all(paths.map(filesIn))).flat();
  const texts = await Promise.all(files.map(async (file) => ({ file, text: await textOf(file) })));
  const source = parseManifests(texts);
  if (isProblem(source)) throw new Fault('invalid', `${source.problem}. Nothing was written`);
  return source;
}

async function filesIn(path: string): Promise<string[]> {
  try {
    if (!(await stat(path)).isDirectory()) return [path];
    const found = await readdir(path, { recursive: true, withFileTypes: true });
    const files = found.filter((entry) => entry.isFile() && MANIFEST.test(entry.name));
    return files.map((entry) => join(entry.parentPath, entry.name)).sort();
  } catch (error) {
    throw unreadable(path, error);
  }
}

type Json = Readonly<Record<string, unknown>>;
interface Found {
  readonly bindings: Map<string, IrsaBinding>;
  readonly grants: Map<string, IrsaGrant>;
  readonly namespaces: Map<string, Namespace>;
}

/** Other kinds are left alone; each document of ours must be right. A problem names the file and counts documents from 1. */
export function parseManifests(files: readonly { readonly file: string; readonly text: string }[]): Source | Problem {
  const found: Found = { bindings: new Map(), grants: new Map(), namespaces: new Map() };
  for (const { file, text } of files) {
    for (const [at, document] of [...parseAllDocuments(text)].entries()) {
      const where = `"${file}", document ${at + 1}`;
      const [wrong] = document.errors;
      if (wrong !== undefined) return problem(`${where}: not YAML: ${firstLine(wrong.message)}`);
      const raw = plain(document);
      const said = isProblem(raw) ? raw : take(raw.value, found);
      if (said !== undefined) return problem(`${where}: ${said.problem}`);
    }
  }
  return {
    of: files.map(({ file }) => `"${file}"`).join(', '),
    bindings: [...found.bindings.values()],
    grants: [...found.grants.values()],
    namespaces: [...found.namespaces.values()],
    apiAudiences: [USUAL_API_AUDIENCE],
  };
}

/** Aliases may be many times as large as what they stand for: the library counts them, and throws. */
function plain(document: { toJS(): unknown }): { value: unknown } | Problem {
  try {
    return { value: document.toJS() };
  } catch (error) {
    return problem(`not YAML: ${firstLine(error instanceof Error ? error.message : String(error))}`);
  }
}

const firstLine = (message: string): string => (message.split('\n')[0] ?? '').replace(/:$/, '');

/** What is wrong with it; undefined where it was taken, or is none of our business. */
function take(raw: unknown, found: Found): Problem | undefined {
  const { apiVersion, kind, items, metadata, spec } = object(raw);
  // `kubectl get -o yaml` writes one list of all.
  if (apiVersion === 'v1' && kind === 'List' && Array.isArray(items)) {
    for (const item of items) {
      const said = take(item, found);
      if (said !== undefined) return said;
    }
    return undefined;
  }
  const { name, namespace } = object(metadata);
  if (apiVersion === 'v1' && kind === 'Namespace' && typeof name === 'string') {
    found.namespaces.set(name, { name, labels: strings(object(metadata)['labels']) });
    return undefined;
  }
  if (typeof apiVersion !== 'string' || !apiVersion.startsWith(`${GROUP}/`)) return undefined;
  if (apiVersion !== `${GROUP}/${VERSION}`) return problem(`apiVersion "${apiVersion}" is unknown. Wanted: "${GROUP}/${VERSION}"`);
  if (kind !== 'IrsaBinding' && kind !== 'IrsaGrant')
    return problem(`kind "${kind}" of ${GROUP} is unknown. Wanted: IrsaBinding or IrsaGrant`);
  if (typeof name !== 'string' || name === '') return problem(`${kind} without metadata.name`);
  if (kind === 'IrsaGrant') return takeGrant(name, spec, found);
  if (typeof namespace !== 'string' || namespace === '') return problem(`IrsaBinding "${name}" without metadata.namespace`);
  return takeBinding(namespace, name, object(metadata), spec, found);
}

function takeBinding(namespace: string, name: string, metadata: Json, raw: unknown, { bindings }: Found): Problem | undefined {
  const key = keyOf({ namespace, name });
  const spec = unknownField(raw, bindingSpec.shape) ?? parseBindingSpec(raw);
  if (isProblem(spec)) return problem(`IrsaBinding "${key}": ${spec.problem}`);
  if (bindings.has(key)) return problem(`IrsaBinding "${key}" is there twice`);
  const deleting = metadata['deletionTimestamp'] !== undefined;
  // All of them will be made at once: of two for one ServiceAccount the first by name counts.
  const made = { uid: key, resourceVersion: '', generation: 0, createdAt: 0, finalizers: [], annotations: {} };
  bindings.set(key, { metadata: { namespace, name, deleting, ...made }, spec, status: { conditions: [] } });
  return undefined;
}

function takeGrant(name: string, raw: unknown, { grants }: Found): Problem | undefined {
  const spec = unknownField(raw, grantSpec.shape) ?? parseGrantSpec(raw);
  if (isProblem(spec)) return problem(`IrsaGrant "${name}": ${spec.problem}`);
  if (grants.has(name)) return problem(`IrsaGrant "${name}" is there twice`);
  grants.set(name, { name, uid: '', generation: 0, spec, revocationConfirmedAt: undefined });
  return undefined;
}

/** A misspelt field that limits a grant would make it wider; kubectl refuses one too. */
function unknownField(raw: unknown, shape: Json): Problem | undefined {
  const unknown = Object.keys(object(raw)).find((field) => !Object.hasOwn(shape, field));
  return unknown === undefined ? undefined : problem(`spec has no field "${unknown}"`);
}

function object(value: unknown): Json {
  return typeof value === 'object' && value !== null && !Array.isArray(value) ? (value as Json) : {};
}

function strings(value: unknown): Record<string, string> {
  return Object.fromEntries(Object.entries(object(value)).filter((entry): entry is [string, string] => typeof entry[1] === 'string'));
}
