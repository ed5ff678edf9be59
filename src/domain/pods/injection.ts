import type { Container, Pod, Template } from '../../api/cluster.ts';
import { type Finding, type FindingCode, finding } from '../../api/finding.ts';
import { INJECTED } from '../../api/names.ts';
import { annotationKeys, EKS_WEBHOOK, tokenFile, type Webhook } from '../../api/webhook.ts';

/** What the webhook shall have injected into each container. */
export interface DesiredInjection {
  readonly roleArn: string;
  readonly audience: string;
  /** Counts only where the binding sets it: without, each installation of the webhook has its own default. */
  readonly tokenExpirationSeconds?: number | undefined;
  /** Of EKS unless it is said otherwise. */
  readonly webhook?: Webhook;
}

/** The webhook raises what is shorter. */
const LEAST_EXPIRATION_SECONDS = 600;
const KEYS = [INJECTED.roleArn, INJECTED.tokenFile];
const REGION_KEYS = ['AWS_REGION', 'AWS_DEFAULT_REGION'];
const REGIONAL_KEY = 'AWS_STS_REGIONAL_ENDPOINTS';

/** What stands in the template itself: each new pod would have it again, so that a restart is in vain. */
const IN_VAIN: readonly FindingCode[] = ['PodEnvOverridden', 'PodPartialInjection', 'VolumeNameTaken'];
export const isInVain = ({ code }: Finding): boolean => IN_VAIN.includes(code);

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

/** The first thing in which a container differs from what the webhook would inject now. */
export function whatIsWrong(
  pod: Pod,
  container: Container,
  desired: DesiredInjection,
  template: Template | undefined,
): Finding | undefined {
  const where = `pod ${pod.namespace}/${pod.name}, container "${container.name}"`;
  const { [INJECTED.roleArn]: role, [INJECTED.tokenFile]: file } = container.env;
  const path = tokenFile(desired.webhook ?? EKS_WEBHOOK, pod.windows);
  const own = template?.containers.find(({ name }) => name === container.name)?.env ?? givenByItself(container.env, path);
  const [key, second] = KEYS.filter((name) => name in own);
  if (key !== undefined && second === undefined) {
    const other = KEYS.find((name) => name !== key);
    return finding('PodPartialInjection', `${where}: its template sets ${key} and not ${other}, so the webhook adds neither. Set neither`);
  }
  if (second !== undefined && (role !== desired.roleArn || file !== path)) {
    const found = `${INJECTED.roleArn} to ${quoted(role)} and ${INJECTED.tokenFile} to ${quoted(file)}`;
    const wanted = `Wanted: "${desired.roleArn}" and "${path}"`;
    return finding('PodEnvOverridden', `${where}: its template sets ${found}, which the webhook does not overwrite. ${wanted}`);
  }
  if (second !== undefined && !container.mountsToken && REGIONAL_KEY in own && REGION_KEYS.some((name) => name in own)) {
    const found = `the role, a region and ${REGIONAL_KEY}`;
    return finding('PodEnvOverridden', `${where}: its template sets ${found}, so the webhook does not mount the token. Set none of them`);
  }
  if (!KEYS.every((name) => name in container.env)) {
    const found = `${INJECTED.roleArn} was not injected when the pod was created`;
    return finding('PodCredentialsMissing', `${where}: ${found}. Wanted: "${desired.roleArn}"`);
  }
  if (role !== desired.roleArn) {
    const found = `${INJECTED.roleArn} is ${quoted(role)}, as the annotation was when the pod was created`;
    return finding('PodRoleArnStale', `${where}: ${found}. Wanted: "${desired.roleArn}"`);
  }
  return tokenIsWrong(pod, container, desired, where, template?.hasTokenVolume === true);
}

function tokenIsWrong(pod: Pod, container: Container, desired: DesiredInjection, where: string, ownVolume: boolean): Finding | undefined {
  const { tokenAudience: audience, tokenExpirationSeconds: expiration } = pod;
  if (ownVolume && audience !== desired.audience) {
    const found = audience === undefined ? 'without a token' : `with a token for "${audience}"`;
    const why = `its template has a volume "${INJECTED.volume}" of its own ${found}, which the webhook keeps`;
    return finding('VolumeNameTaken', `${where}: ${why}. Wanted: "${desired.audience}". Rename or remove the volume`);
  }
  if (!container.mountsToken || audience === undefined) {
    const file = quoted(container.env[INJECTED.tokenFile]);
    const found = `the token volume "${INJECTED.volume}" is not mounted where ${INJECTED.tokenFile} (${file}) looks for it`;
    return finding('PodCredentialsMissing', `${where}: ${found}`);
  }
  if (audience !== desired.audience)
    return finding('PodAudienceStale', `${where}: its token has the audience "${audience}". Wanted: "${desired.audience}"`);
  if (desired.tokenExpirationSeconds === undefined || ownVolume || setsExpiration(pod, desired.webhook)) return undefined;
  const wanted = Math.max(LEAST_EXPIRATION_SECONDS, desired.tokenExpirationSeconds);
  if (expiration === wanted) return undefined;
  return finding('PodExpirationStale', `${where}: its token is valid for ${expiration ?? 'an unknown number of'} s. Wanted: ${wanted} s`);
}

/** What certainly is not the webhook's, where there is no template to look at: it adds both variables or none, as literals, with its own path. */
function givenByItself(env: Container['env'], path: string): Container['env'] {
  const [role, file] = KEYS.map((name) => (name in env ? { value: env[name] } : undefined));
  const foreign = role === undefined || file === undefined || role.value === undefined || file.value !== path;
  return foreign ? env : {};
}

/** As Go parses it; the webhook ignores what is no number. On a pod it goes above that of the ServiceAccount. */
function setsExpiration({ annotations }: Pod, webhook: Webhook = EKS_WEBHOOK): boolean {
  return /^[+-]?[0-9]+$/.test(annotations[annotationKeys(webhook).tokenExpiration] ?? '');
}

function quoted(value: string | undefined): string {
  return value === undefined ? 'a value from another object (valueFrom)' : `"${value}"`;
}
