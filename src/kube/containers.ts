import type { Container, Pod } from '../api/cluster.ts';
import { cut } from '../api/cut.ts';
import { INJECTED, ROLE_VARIABLES } from '../api/names.ts';
import { fewValues, LONGEST_NAME, MOST_CONTAINERS } from './kept.ts';
import { array, type Json, type JsonObject, object, text } from './objects.ts';

/** Of these variables the value decides, and of the others that they are there. */
const READ: readonly string[] = [INJECTED.roleArn, INJECTED.tokenFile];

/** The containers of a pod, or of the template of a workload. */
export function containersOf(podSpec: JsonObject): Container[] {
  const few = fewValues();
  const first = (field: string) => array(podSpec[field]).slice(0, MOST_CONTAINERS);
  return [...first('initContainers'), ...first('containers')].map((raw) => containerOf(raw, few));
}

function containerOf(raw: Json, few: (value: string) => string): Container {
  const container = object(raw);
  const env: Record<string, string | undefined> = {};
  for (const entry of array(container['env']).map(object)) {
    const name = ROLE_VARIABLES.find((known) => known === entry['name']);
    if (name === undefined) continue;
    env[name] = 'valueFrom' in entry || !READ.includes(name) ? undefined : few(text(entry['value']) ?? '');
  }
  const mountsToken = array(container['volumeMounts']).some((mount) => object(mount)['name'] === INJECTED.volume);
  return { name: text(container['name']) ?? '', env, mountsToken };
}

export function tokenVolumeOf(podSpec: JsonObject): JsonObject | undefined {
  return array(podSpec['volumes'])
    .map(object)
    .find(({ name }) => name === INJECTED.volume);
}

export function tokenOf(podSpec: JsonObject): Pick<Pod, 'tokenAudience' | 'tokenExpirationSeconds'> {
  for (const source of array(object(tokenVolumeOf(podSpec)?.['projected'])['sources'])) {
    const token = object(object(source)['serviceAccountToken']);
    const seconds = token['expirationSeconds'];
    // Without an audience the token is the API server's own.
    if ('path' in token)
      return {
        tokenAudience: cut(text(token['audience']) ?? '', LONGEST_NAME),
        tokenExpirationSeconds: typeof seconds === 'number' ? seconds : undefined,
      };
  }
  return { tokenAudience: undefined, tokenExpirationSeconds: undefined };
}
