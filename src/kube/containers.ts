import type { Container, OwnMounts, Pod } from '../api/cluster.ts';
import { cut } from '../api/cut.ts';
import { CREDENTIAL_VARIABLES, INJECTED } from '../api/names.ts';
import type { Webhook } from '../api/webhook.ts';
import { fewValues, LONGEST_NAME, MOST_CONTAINERS } from './kept.ts';
import { array, type Json, type JsonObject, object, text } from './objects.ts';

/** The values of others are credentials, or decide nothing. */
const COMPARED: readonly string[] = [INJECTED.roleArn, INJECTED.tokenFile];
const WINDOWS_DRIVE = /^[A-Za-z]:/;

interface Mount {
  readonly volume: string;
  /** As it is written: the API server refuses two of the same spelling. */
  readonly written: string;
  readonly path: string;
  readonly subPath: string;
}

/** Init and ordinary containers: the webhook never touches ephemeral ones. */
export function containersOf(podSpec: JsonObject, { tokenMountPath }: Pick<Webhook, 'tokenMountPath'>): Container[] {
  const of = { podSpec, mountPath: tokenMountPath, few: fewValues(), fewSecrets: fewValues() };
  const first = (field: string) => array(podSpec[field]).slice(0, MOST_CONTAINERS);
  return [...first('initContainers'), ...first('containers')].map((raw) => containerOf(raw, of));
}

export function tokenVolumeOf(podSpec: JsonObject): JsonObject | undefined {
  return volumeOf(podSpec, INJECTED.volume);
}

export function tokenOf(podSpec: JsonObject): Pick<Pod, 'tokenAudience' | 'tokenExpirationSeconds'> {
  const token = projectedToken(tokenVolumeOf(podSpec), INJECTED.tokenName);
  const seconds = token?.['expirationSeconds'];
  return { tokenAudience: token && audienceOf(token), tokenExpirationSeconds: typeof seconds === 'number' ? seconds : undefined };
}

interface PodScope {
  readonly podSpec: JsonObject;
  /** Where the webhook mounts the token. */
  readonly mountPath: string;
  readonly few: (value: string) => string;
  /** Apart, so that Secrets never displace a role. */
  readonly fewSecrets: (value: string) => string;
}

function containerOf(raw: Json, of: PodScope): Container {
  const container = object(raw);
  const { env, secrets } = envOf(container, of);
  const mounts = array(container['volumeMounts']).map(object).map(mountOf);
  const mountsToken = mounts.some(({ volume, path }) => volume === INJECTED.volume && path === of.mountPath);
  const own = ownMounts(mounts, mountsToken, env[INJECTED.tokenFile], of);
  return {
    name: text(container['name']) ?? '',
    env,
    mountsToken,
    ...(Object.keys(secrets).length === 0 ? {} : { secrets }),
    ...(Object.keys(own).length === 0 ? {} : { own }),
  };
}

/** Of a name that is there twice the last one counts, as for the kubelet. */
function envOf(container: JsonObject, { few, fewSecrets }: PodScope): Required<Pick<Container, 'env' | 'secrets'>> {
  const env: Record<string, string | undefined> = {};
  const secrets: Record<string, string> = {};
  for (const entry of array(container['env']).map(object)) {
    const name = CREDENTIAL_VARIABLES.find((known) => known === entry['name']);
    if (name === undefined) continue;
    const value = 'valueFrom' in entry ? undefined : (text(entry['value']) ?? '');
    env[name] = value !== undefined && (COMPARED.includes(name) || value === '') ? few(value) : undefined;
    const secret = COMPARED.includes(name) ? undefined : secretOf(entry);
    if (secret === undefined) delete secrets[name];
    else secrets[name] = fewSecrets(secret);
  }
  return { env, secrets };
}

function secretOf(entry: JsonObject): string | undefined {
  const { name, key } = object(object(entry['valueFrom'])['secretKeyRef']);
  return typeof name === 'string' && typeof key === 'string' ? `${name}/${key}` : undefined;
}

function mountOf(mount: JsonObject): Mount {
  const written = text(mount['mountPath']) ?? '';
  return { volume: text(mount['name']) ?? '', written, path: plain(written), subPath: text(mount['subPath']) ?? '' };
}

function ownMounts(
  mounts: readonly Mount[],
  mountsToken: boolean,
  file: string | undefined,
  { podSpec, mountPath, few }: PodScope,
): OwnMounts {
  const elsewhere = mountsToken ? undefined : mounts.find(({ volume }) => volume === INJECTED.volume);
  const foreign = mounts.find(({ volume, written }) => volume !== INJECTED.volume && written === mountPath);
  const injected = mountsToken && file !== undefined && plain(file) === `${mountPath}/${INJECTED.tokenName}`;
  const tokenFile = file === undefined || injected ? undefined : fileOf(mounts, plain(file), podSpec);
  return {
    ...(elsewhere === undefined ? {} : { tokenMount: few(elsewhere.path) }),
    ...(foreign === undefined ? {} : { onWebhookPath: foreign.volume }),
    ...(tokenFile === undefined ? {} : { tokenFile }),
  };
}

/** What the innermost mount over a file has there. */
function fileOf(mounts: readonly Mount[], file: string, podSpec: JsonObject): OwnMounts['tokenFile'] {
  const over = mounts.filter(({ path }) => path !== '' && (file === path || file.startsWith(`${path}/`)));
  const [mount] = over.toSorted((a, b) => b.path.length - a.path.length);
  if (mount === undefined) return undefined;
  const inVolume = [mount.subPath, file.slice(mount.path.length + 1)].filter((part) => part !== '').join('/');
  const volume = volumeOf(podSpec, mount.volume);
  const token = projectedToken(volume, inVolume);
  if (token !== undefined) return { audience: audienceOf(token) };
  // A file that a projected volume does not have is not there. Of any other volume nothing is known.
  return isOnlyTokens(volume) ? undefined : { audience: undefined };
}

function volumeOf(podSpec: JsonObject, wanted: string): JsonObject | undefined {
  return array(podSpec['volumes'])
    .map(object)
    .find(({ name }) => name === wanted);
}

const sourcesOf = (volume: JsonObject | undefined) => array(object(volume?.['projected'])['sources']).map(object);

function projectedToken(volume: JsonObject | undefined, path: string): JsonObject | undefined {
  return sourcesOf(volume)
    .map((source) => object(source['serviceAccountToken']))
    .find((token) => token['path'] === path);
}

function isOnlyTokens(volume: JsonObject | undefined): boolean {
  const sources = sourcesOf(volume);
  return sources.length > 0 && sources.every((source) => 'serviceAccountToken' in source);
}

/** Without an audience the token is the API server's own. */
const audienceOf = (token: JsonObject): string => cut(text(token['audience']) ?? '', LONGEST_NAME);

/** A path as the webhook writes it for Linux: on Windows a mount path is one of both. */
function plain(path: string): string {
  const slashes = WINDOWS_DRIVE.test(path) ? path.slice(2).replaceAll('\\', '/') : path;
  return slashes.length > 1 ? slashes.replace(/\/+$/, '') : slashes;
}
