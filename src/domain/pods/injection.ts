import { parseRoleArn } from '../../api/arn.ts';
import type { Container, Pod, Template } from '../../api/cluster.ts';
import { type Finding, type FindingCode, finding } from '../../api/finding.ts';
import { INJECTED } from '../../api/names.ts';
import { isProblem } from '../../api/problem.ts';
import { annotationKeys, EKS_WEBHOOK, tokenFile, type Webhook } from '../../api/webhook.ts';
import { quote } from '../../trust/document/quote.ts';
import { exceedsKubernetes, expirationSeconds, MAX_EXPIRATION_SECONDS } from '../service-account/expiration.ts';

/** What the webhook shall have injected into each container. */
export interface DesiredInjection {
  readonly roleArn: string;
  readonly audience: string;
  /** Counts only where the binding sets it: without, each installation of the webhook has its own default. */
  readonly tokenExpirationSeconds?: number | undefined;
  /** Of EKS unless it is said otherwise. */
  readonly webhook?: Webhook;
}

/** What is said of one container. A pod made now is what the webhook's own rules would make of its template (its source, pkg/handler, v0.6.17). */
export interface ContainerVerdict {
  /** A pod made now would have it, and this one has not. */
  readonly stale?: Finding;
  /** What the template fixes: a pod made now has it again. */
  readonly fixed?: Fixed;
}

/** `own`: it works, with a role or token of its own. `fault`: it cannot work. `barred`: the API server would refuse each new pod. */
export interface Fixed {
  readonly kind: 'own' | 'fault' | 'barred';
  readonly finding: Finding;
}

/** What there is to judge a container by. `where` names the template that it is made from. */
export interface Scope {
  readonly pod: Pod;
  readonly container: Container;
  readonly desired: DesiredInjection;
  readonly template: Template | undefined;
  readonly where: string;
}

/** The webhook raises what is shorter. */
const LEAST_EXPIRATION_SECONDS = 600;
/** The webhook adds both or none. */
export const KEYS = [INJECTED.roleArn, INJECTED.tokenFile];
const REGION_KEYS = ['AWS_REGION', 'AWS_DEFAULT_REGION'];
const REGIONAL_KEY = 'AWS_STS_REGIONAL_ENDPOINTS';

/**
 * The containers that the webhook should have touched. One that is not of the template was put in by another webhook (a service mesh),
 * perhaps after ours: it asked for no role. Where the template is not known (not of a Deployment, StatefulSet or DaemonSet) all count.
 */
export function containersOfTheWebhook(pod: Pod, template: Template | undefined, webhook: Webhook = EKS_WEBHOOK): readonly Container[] {
  const skipped = skippedContainers(pod.annotations[annotationKeys(webhook).skipContainers]);
  const ofTemplate = (name: string) => template === undefined || template.containers.some((container) => container.name === name);
  return pod.containers.filter(({ name }) => !skipped.includes(name) && ofTemplate(name));
}

/** One record of CSV, as Go reads it: blanks count, and where the quotes are wrong nothing is skipped. */
function skippedContainers(annotation = ''): readonly string[] {
  const [record = ''] = annotation.split(/\r?\n/).filter((line) => line !== '');
  const fields = record.split(',').map((field) => /^"([^"]*)"$/.exec(field)?.[1] ?? field);
  return fields.some((field) => field.includes('"')) ? [] : fields;
}

/** The webhook adds its volume to each pod that has none of the name, with the lifetime that the annotation of the pod says. */
export function refusedLifetime(
  { annotations, tokenAudience }: Pod,
  template: Template | undefined,
  where: string,
  webhook: Webhook = EKS_WEBHOOK,
): Finding | undefined {
  const { tokenExpiration } = annotationKeys(webhook);
  const value = annotations[tokenExpiration];
  const hasVolume = template?.hasTokenVolume ?? tokenAudience !== undefined;
  if (value === undefined || hasVolume || !exceedsKubernetes(value)) return undefined;
  const found = `the annotation ${tokenExpiration} of its pods is ${quote(value)}, and Kubernetes allows ${MAX_EXPIRATION_SECONDS} seconds`;
  return finding('TokenExpirationInvalid', `${where}: ${found}. The API server refuses each new pod. Lower it in the template`);
}

/** A container that could not work in a pod made now is no reason to make one. */
export function judgeContainer(scope: Scope): ContainerVerdict {
  const fixed = fixedByTemplate(scope);
  if (fixed !== undefined && fixed.kind !== 'own') return { fixed };
  const stale = whatIsMissing(scope);
  return { ...(fixed === undefined ? {} : { fixed }), ...(stale === undefined ? {} : { stale }) };
}

/** What the container sets itself: its template says so. Without one, what the webhook certainly did not write. */
function ownEnv({ pod, container, desired, template }: Scope): Container['env'] {
  const known = template?.containers.find(({ name }) => name === container.name);
  if (known !== undefined) return known.env;
  // The webhook injects one role into a pod: beside the wanted one, another is no former one.
  const { env } = container;
  const isOdd = INJECTED.roleArn in env && env[INJECTED.roleArn] !== desired.roleArn;
  const injected = pod.containers.some((other) => other.env[INJECTED.roleArn] === desired.roleArn && other.mountsToken);
  return isOdd && injected ? env : givenByItself(env, tokenFileOf({ pod, desired }));
}

/** The webhook adds both variables or none, as literals, with its own path. */
function givenByItself(env: Container['env'], path: string): Container['env'] {
  const [role, file] = KEYS.map((name) => (name in env ? { value: env[name] } : undefined));
  const foreign = role === undefined || file === undefined || role.value === undefined || file.value !== path;
  return foreign ? env : {};
}

const webhookOf = ({ webhook = EKS_WEBHOOK }: DesiredInjection): Webhook => webhook;
/** Where the webhook of the cluster has the token. */
const tokenFileOf = ({ pod, desired }: Pick<Scope, 'pod' | 'desired'>): string => tokenFile(webhookOf(desired), pod.windows);

/** The webhook does nothing to such a container, and adds no mount. */
export const isComplete = (own: Container['env']): boolean =>
  KEYS.some((key) => key in own) && REGIONAL_KEY in own && REGION_KEYS.some((key) => key in own);

/** In a pod made now. */
const isMounted = (container: Container, own: Container['env']): boolean =>
  container.mountsToken || (!isComplete(own) && container.own?.tokenMount === undefined);

function fixedByTemplate(scope: Scope): Fixed | undefined {
  const { container, template, where } = scope;
  const own = ownEnv(scope);
  const mounts = [container, ...(template?.containers ?? []).filter(({ name }) => name === container.name)];
  const taken = mounts.find((one) => one.own?.onWebhookPath !== undefined && !one.mountsToken && one.own.tokenMount === undefined);
  if (taken !== undefined && !isComplete(own)) {
    const found = `its template mounts the volume "${taken.own?.onWebhookPath}" on "${webhookOf(scope.desired).tokenMountPath}"`;
    const why = 'The webhook mounts the token there too, and the API server refuses a pod with both. Change the mount path';
    return { kind: 'barred', finding: finding('MountPathTaken', `${where}: ${found}. ${why}`) };
  }
  const [key, second] = KEYS.filter((name) => name in own);
  if (key === undefined) return fixedToken(scope);
  const empty = KEYS.find((name) => own[name] === '');
  if (second === undefined || empty !== undefined) {
    const found = empty === undefined ? `${key} and not ${KEYS.find((name) => name !== key)}` : `${empty} to ""`;
    return fault('PodPartialInjection', `${where}: its template sets ${found}, so the webhook adds neither. Set neither`);
  }
  return ownIdentity(scope, own);
}

/** The webhook adds both variables, but its mount only where no mount has the name, and its volume likewise. */
function fixedToken({ pod, container, desired, template, where }: Scope): Fixed | undefined {
  const { tokenAudience: audience } = pod;
  if (container.own?.tokenMount !== undefined && !container.mountsToken) {
    const found = `its template mounts the volume "${INJECTED.volume}" on "${container.own.tokenMount}", so the webhook does not mount it`;
    return fault('VolumeNameTaken', `${where}: ${found}. Wanted: "${webhookOf(desired).tokenMountPath}". Rename or remove the volume`);
  }
  if (template?.hasTokenVolume !== true || audience === desired.audience) return undefined;
  const found = audience === undefined ? 'without a token' : `with a token for "${audience}"`;
  const why = `its template has a volume "${INJECTED.volume}" of its own ${found}, which the webhook keeps`;
  return fault('VolumeNameTaken', `${where}: ${why}. Wanted: "${desired.audience}". Rename or remove the volume`);
}

/** Both variables are set, so the webhook adds neither: what is left of it is the mount. */
function ownIdentity(scope: Scope, own: Container['env']): Fixed | undefined {
  const { container, desired, template, where } = scope;
  const path = tokenFileOf(scope);
  const { [INJECTED.roleArn]: role, [INJECTED.tokenFile]: file } = own;
  const token = tokenOfOwn(scope, own);
  if (role === desired.roleArn && file === path && token?.audience === desired.audience) return undefined;
  if (token === undefined && file === path && isComplete(own)) {
    const found = `the role, a region and ${REGIONAL_KEY}`;
    return fault('PodEnvOverridden', `${where}: its template sets ${found}, so the webhook does not mount the token. Set none of them`);
  }
  const what = token === undefined ? ', where there is no token' : audienceInWords(token.audience, desired.audience);
  const found = `${INJECTED.roleArn} to ${quoted(role)} and ${INJECTED.tokenFile} to ${quoted(file)}${what}`;
  const wanted = `Wanted: "${desired.roleArn}" and "${path}"`;
  const message = `${where}: its template sets ${found}, which the webhook does not overwrite. ${wanted}`;
  if (token === undefined || (isLiteral(role) && isProblem(parseRoleArn(role)))) return fault('PodEnvOverridden', message);
  // Where the webhook skips a container it does not mount the token either.
  const leaveOut = `If this is intended, name the container in the annotation ${annotationKeys(webhookOf(desired)).skipContainers}`;
  const borrows = isLiteral(file) && container.own?.tokenFile === undefined && template?.hasTokenVolume !== true;
  const hint = borrows ? `${leaveOut}, and mount a token of its own` : leaveOut;
  return { kind: 'own', finding: finding('PodEnvOverridden', `${message}. ${hint}`) };
}

/** What a pod made now has where the container looks for its token: `undefined` is nothing, without an audience it is not known. */
function tokenOfOwn(scope: Scope, own: Container['env']): { readonly audience: string | undefined } | undefined {
  const { pod, container, desired, template } = scope;
  const file = own[INJECTED.tokenFile];
  if (!isLiteral(file)) return { audience: undefined };
  if (file !== tokenFileOf(scope)) return container.own?.tokenFile;
  if (!isMounted(container, own)) return container.own?.tokenFile;
  if (template?.hasTokenVolume !== true) return { audience: desired.audience };
  return pod.tokenAudience === undefined ? undefined : { audience: pod.tokenAudience };
}

/** The first thing in which a container differs from one made now. */
function whatIsMissing(scope: Scope): Finding | undefined {
  const { pod, container, desired } = scope;
  const where = `pod ${pod.namespace}/${pod.name}, container "${container.name}"`;
  const own = ownEnv(scope);
  const given = KEYS.every((name) => name in own);
  const wanted = given ? own : { [INJECTED.roleArn]: desired.roleArn, [INJECTED.tokenFile]: tokenFileOf(scope) };
  const { [INJECTED.roleArn]: role, [INJECTED.tokenFile]: file } = container.env;
  if (!KEYS.every((name) => name in container.env)) {
    const found = `${INJECTED.roleArn} was not injected when the pod was created`;
    return finding('PodCredentialsMissing', `${where}: ${found}. Wanted: ${quoted(wanted[INJECTED.roleArn])}`);
  }
  if (role !== wanted[INJECTED.roleArn]) {
    const found = `${INJECTED.roleArn} is ${quoted(role)}, as the ${given ? 'template' : 'annotation'} was when the pod was created`;
    return finding('PodRoleArnStale', `${where}: ${found}. Wanted: ${quoted(wanted[INJECTED.roleArn])}`);
  }
  if (file !== wanted[INJECTED.tokenFile]) {
    const found = `${INJECTED.tokenFile} is ${quoted(file)}`;
    return finding('PodCredentialsMissing', `${where}: ${found}. Wanted: ${quoted(wanted[INJECTED.tokenFile])}`);
  }
  // A token that the container mounts itself is the same in each pod.
  return file === tokenFileOf(scope) && isMounted(container, own) ? tokenIsWrong(scope, where) : undefined;
}

function tokenIsWrong({ pod, container, desired, template }: Scope, where: string): Finding | undefined {
  const { tokenAudience, tokenExpirationSeconds: expiration } = pod;
  const ownVolume = template?.hasTokenVolume === true;
  // A mount above the path of the webhook may have a token there too.
  const audience = container.mountsToken ? tokenAudience : container.own?.tokenFile?.audience;
  if (audience === undefined) {
    const file = quoted(container.env[INJECTED.tokenFile]);
    const found = `the token volume "${INJECTED.volume}" is not mounted where ${INJECTED.tokenFile} (${file}) looks for it`;
    return finding('PodCredentialsMissing', `${where}: ${found}`);
  }
  const wantedAudience = ownVolume ? tokenAudience : desired.audience;
  if (audience !== wantedAudience)
    return finding('PodAudienceStale', `${where}: its token has the audience "${audience}". Wanted: "${wantedAudience}"`);
  if (ownVolume || !container.mountsToken) return undefined;
  if (desired.tokenExpirationSeconds === undefined || setsExpiration(pod, webhookOf(desired))) return undefined;
  const wanted = Math.max(LEAST_EXPIRATION_SECONDS, desired.tokenExpirationSeconds);
  if (expiration === wanted) return undefined;
  return finding('PodExpirationStale', `${where}: its token is valid for ${expiration ?? 'an unknown number of'} s. Wanted: ${wanted} s`);
}

/** The webhook ignores what it cannot parse. */
function setsExpiration({ annotations }: Pod, webhook: Webhook): boolean {
  return expirationSeconds(annotations[annotationKeys(webhook).tokenExpiration] ?? '') !== undefined;
}

const fault = (code: FindingCode, message: string): Fixed => ({ kind: 'fault', finding: finding(code, message) });

/** The kubelet puts in what another object has, and other variables. */
const isLiteral = (value: string | undefined): value is string => value !== undefined && !value.includes('$(');

function audienceInWords(found: string | undefined, wanted: string): string {
  return found === undefined || found === wanted ? '' : ` with a token for "${found}"`;
}

function quoted(value: string | undefined): string {
  return value === undefined ? 'a value from another object (valueFrom)' : `"${value}"`;
}
