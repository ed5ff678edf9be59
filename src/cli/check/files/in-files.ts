import { bindingSpec, type IrsaBinding } from '../../../api/binding.ts';
import { keyOf } from '../../../api/cluster.ts';
import { Fault } from '../../../api/fault.ts';
import { grantSpec, type IrsaGrant } from '../../../api/grant.ts';
import { GROUP } from '../../../api/names.ts';
import { isProblem } from '../../../api/problem.ts';
import { annotationKeys, type Webhook } from '../../../api/webhook.ts';
import { GrantIndex } from '../../../domain/authorization/grant-index.ts';
import { unknownField } from '../../unknown-field.ts';
import type { InFiles } from '../ports.ts';
import type { Place } from '../text.ts';
import { isRaw, type Manifest, type Raw, RENDER } from './documents.ts';

/** Those of which it matters which one is meant. */
const JUDGED = /^(ServiceAccount|Deployment|StatefulSet|DaemonSet|CronJob|IrsaBinding|IrsaGrant)$/;

/** As an API server would store them: in a namespace, and with a UID. Throws `Fault` where an object has no name, or stands twice. */
export function completed(manifests: readonly Manifest[], namespace: string): Manifest[] {
  const seen = new Map<string, Place>();
  return manifests.map(({ raw, at }) => {
    const metadata: Raw = isRaw(raw['metadata']) ? raw['metadata'] : {};
    const own = { ...metadata, namespace: metadata['namespace'] ?? namespace };
    const here = at('metadata', 'name');
    const uid = `${raw['kind']} ${own.namespace}/${metadata['name'] ?? `${here.file}:${here.line}`}`;
    const before = seen.get(uid);
    seen.set(uid, here);
    if (JUDGED.test(String(raw['kind']))) {
      if (typeof metadata['name'] !== 'string')
        throw new Fault('invalid', `${inWords(here)}: ${raw['kind']} has no metadata.name. Wanted: a text. ${RENDER}`);
      if (before !== undefined) throw new Fault('invalid', `${uid} is in ${inWords(before)} and in ${inWords(here)}. Check one of the two`);
    }
    return { raw: { ...raw, metadata: { ...own, uid } }, at };
  });
}

const inWords = ({ file, line }: Place): string => `"${file}", line ${line}`;

/** Bindings, grants, and where in the files everything stands that a step judges. */
export function inFiles(
  manifests: readonly Manifest[],
  bindings: readonly IrsaBinding[],
  grants: readonly IrsaGrant[],
  webhook: Webhook,
): InFiles {
  const byKindAndKey = new Map(manifests.map((one) => [`${one.raw['kind']} ${keyIn(one.raw)}`, one] as const));
  for (const { name, spec } of grants) {
    const manifest = manifests.find(({ raw }) => raw['kind'] === 'IrsaGrant' && (raw['metadata'] as Raw)['name'] === name);
    const wrong = unknownField(manifest?.raw['spec'], grantSpec.shape) ?? (isProblem(spec) ? spec : undefined);
    // Whatever it grants would be said to be not granted.
    if (wrong !== undefined) throw new Fault('invalid', `IrsaGrant "${name}": ${wrong.problem}`);
  }
  const index = grants.length === 0 ? undefined : new GrantIndex(grants);
  const strict = bindings.map((one): IrsaBinding => {
    const raw = byKindAndKey.get(`IrsaBinding ${keyOf(one.metadata)}`)?.raw['spec'];
    return { ...one, spec: unknownField(raw, bindingSpec.shape) ?? one.spec };
  });
  const byAccount = Map.groupBy(manifests, ({ raw }) => `${keyIn(raw).split('/')[0]}/${accountIn(raw)}`);
  const bindingsOf = Map.groupBy(strict, ({ metadata: { namespace, name } }) => {
    const spec = byKindAndKey.get(`IrsaBinding ${namespace}/${name}`)?.raw['spec'];
    return keyOf({ namespace, name: isRaw(spec) ? String(spec['serviceAccountName'] ?? '') : '' });
  });
  return {
    named: [...bindingsOf.keys()].map((key) => {
      const [namespace = '', name = ''] = key.split('/');
      return { namespace, name };
    }),
    bound(of) {
      const [binding, ...others] = bindingsOf.get(keyOf(of)) ?? [];
      return binding === undefined ? undefined : { binding, others, grants: index };
    },
    placesOf(of) {
      const key = keyOf(of);
      const account = byKindAndKey.get(`ServiceAccount ${key}`);
      const [workload] = byAccount.get(key) ?? [];
      const [binding] = bindingsOf.get(key) ?? [];
      const bound = binding === undefined ? undefined : byKindAndKey.get(`IrsaBinding ${keyOf(binding.metadata)}`);
      const named = account?.at('metadata', 'name') ?? bound?.at('spec', 'serviceAccountName');
      const role = bound?.at('spec', 'roleArn') ?? (account === undefined ? undefined : annotationIn(account, webhook));
      const runs = workload === undefined ? undefined : workload.at(...podSpecPath(workload.raw), 'serviceAccountName');
      const places = {
        Binding: bound?.at('metadata', 'name'),
        ServiceAccount: named,
        Annotation: account === undefined ? undefined : annotationIn(account, webhook),
        Webhook: runs ?? named,
        'OIDC provider': role,
        'Trust policy': role,
        Pods: runs ?? named,
      };
      return Object.fromEntries(Object.entries(places).filter(([, place]) => place !== undefined));
    },
  };
}

/** The annotation of the role, or one that is meant to be it. */
function annotationIn({ raw, at }: Manifest, webhook: Webhook): Place {
  const { annotations } = raw['metadata'] as Raw;
  const { roleArn } = annotationKeys(webhook);
  const keys = isRaw(annotations) ? Object.keys(annotations) : [];
  const key = keys.find((one) => one === roleArn) ?? keys.find((one) => one.endsWith('role-arn'));
  return key === undefined ? at('metadata', 'name') : at('metadata', 'annotations', key);
}

function keyIn(raw: Raw): string {
  const { namespace, name } = raw['metadata'] as Raw;
  return `${namespace}/${name}`;
}

/** Whose pods run as a ServiceAccount. */
function podSpecPath({ kind }: Raw): string[] {
  if (kind === 'Pod') return ['spec'];
  const template = ['spec', 'template', 'spec'];
  return kind === 'CronJob' ? ['spec', 'jobTemplate', ...template] : template;
}

function accountIn(raw: Raw): string | undefined {
  if (String(raw['apiVersion']).startsWith(`${GROUP}/`)) return undefined;
  const spec = podSpecPath(raw).reduce<unknown>((of, field) => (isRaw(of) ? of[field] : undefined), raw);
  if (!isRaw(spec) || !Array.isArray(spec['containers'])) return undefined;
  return String(spec['serviceAccountName'] ?? 'default');
}
