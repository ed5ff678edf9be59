import { describe, expect, test } from 'vitest';
import type { Container, Pod, Template } from '../../api/cluster.ts';
import { type FindingCode, finding } from '../../api/finding.ts';
import { podOf, replicaSet, template } from '../test-cluster.ts';
import { ARN, OTHER_ARN } from '../test-observed.ts';
import { type PodState, podState } from './pod-state.ts';

/** Containers whose template sets something itself. What the webhook makes of it stands in its source, pkg/handler. */
const desired = { roleArn: ARN, audience: 'sts.amazonaws.com' };
const PATH = '/var/run/secrets/eks.amazonaws.com/serviceaccount';
const TOKEN = `${PATH}/token`;
const WINDOWS_TOKEN = 'C:\\var\\run\\secrets\\eks.amazonaws.com\\serviceaccount\\token';
const RIGHT = { AWS_ROLE_ARN: ARN, AWS_WEB_IDENTITY_TOKEN_FILE: TOKEN };
const OTHER = { AWS_ROLE_ARN: OTHER_ARN, AWS_WEB_IDENTITY_TOKEN_FILE: TOKEN };
const REGION = { AWS_REGION: undefined, AWS_STS_REGIONAL_ENDPOINTS: undefined };
const ELSEWHERE = { AWS_ROLE_ARN: ARN, AWS_WEB_IDENTITY_TOKEN_FILE: '/var/run/secrets/amazonaws.com/token' };
const ownToken = (audience?: string) => ({ own: { tokenFile: { audience } } });

type Part = Partial<Container>;
/** One container of the template, and what the pod has of it. */
interface Pair {
  readonly from: Part;
  readonly now: Part;
}
/** The same, but for `now`. */
const both = (part: Part, now: Part = {}): Pair => ({ from: part, now: { ...part, ...now } });
/** Made after the annotation: with what the webhook added. */
const made = (part: Part, now: Part = {}) => both(part, { mountsToken: true, ...now });
/** Nothing of its own, right or too old. */
const right = (name = 'app') => made({ name, env: {} }, { env: RIGHT });
const old = (name = 'app') => both({ name, env: {} });
const named = (name: string, { from, now }: Pair): Pair => ({ from: { ...from, name }, now: { ...now, name } });

interface Case {
  readonly containers: readonly Pair[];
  readonly pod?: Partial<Pod>;
  readonly volume?: true;
  readonly lifetime?: number;
  readonly wanted: PodState;
}

function judged({ containers, pod = {}, volume, lifetime }: Case): PodState {
  const filled = containers.map(({ now }): Container => ({ name: 'app', env: {}, mountsToken: false, ...now }));
  const from: Template = { ...template(...containers.map((each) => each.from)), hasTokenVolume: volume === true };
  return podState(
    podOf(replicaSet, 'app-1', { containers: filled, ...pod }),
    { ...desired, tokenExpirationSeconds: lifetime },
    { kind: 'Deployment', name: 'app', template: from },
  );
}

const of = (code: FindingCode, text: string, name = 'app') => finding(code, `Deployment "app", container "${name}": ${text}`);
const ofPod = (code: FindingCode, text: string, name = 'app') => finding(code, `pod shop/app-1, container "${name}": ${text}`);
const faulty = (code: FindingCode, text: string, name = 'app', hasRole = false): PodState => {
  const found = of(code, text, name);
  return { kind: 'faulty', finding: found, hasRole, told: [found] };
};
const barred = (name = 'app'): PodState => faulty('MountPathTaken', MOUNT_TAKEN, name);
const LIFETIME = 'eks.amazonaws.com/token-expiration';
const REFUSED = finding(
  'TokenExpirationInvalid',
  `Deployment "app": the annotation ${LIFETIME} of its pods is "4294967297", and Kubernetes allows 4294967296 seconds. The API server refuses each new pod. Lower it in the template`,
);
const refusedLifetime: PodState = { kind: 'faulty', finding: REFUSED, hasRole: false, told: [REFUSED] };
const exempt = (text: string): PodState => {
  const found = of('PodEnvOverridden', text);
  return { kind: 'exempt', finding: found, told: [found] };
};
const current: PodState = { kind: 'current' };

const sets = (role: string, file: string, { also = '', path = TOKEN } = {}) =>
  `its template sets AWS_ROLE_ARN to ${role} and AWS_WEB_IDENTITY_TOKEN_FILE to ${file}${also}, which the webhook does not overwrite. Wanted: "${ARN}" and "${path}"`;
const HINT = '. If this is intended, name the container in the annotation eks.amazonaws.com/skip-containers';
const HINT_MOUNT = `${HINT}, and mount a token of its own`;
const OTHER_ROLE = `${sets(`"${OTHER_ARN}"`, `"${TOKEN}"`)}${HINT_MOUNT}`;
const FROM = 'a value from another object (valueFrom)';
const NO_TOKEN = { also: ', where there is no token' };
const NOT_MOUNTED =
  'its template sets the role, a region and AWS_STS_REGIONAL_ENDPOINTS, so the webhook does not mount the token. Set none of them';
const ONLY_ROLE = 'its template sets AWS_ROLE_ARN and not AWS_WEB_IDENTITY_TOKEN_FILE, so the webhook adds neither. Set neither';
const ONLY_FILE = 'its template sets AWS_WEB_IDENTITY_TOKEN_FILE and not AWS_ROLE_ARN, so the webhook adds neither. Set neither';
const MOUNT_TAKEN = `its template mounts the volume "data" on "${PATH}". The webhook mounts the token there too, and the API server refuses a pod with both. Change the mount path`;
const MISSING = `AWS_ROLE_ARN was not injected when the pod was created. Wanted: "${ARN}"`;
const NO_MOUNT = `the token volume "aws-iam-token" is not mounted where AWS_WEB_IDENTITY_TOKEN_FILE ("${TOKEN}") looks for it`;
const KEYS = { AWS_ACCESS_KEY_ID: undefined, AWS_SECRET_ACCESS_KEY: undefined };
const keysFound = (name: string) =>
  of(
    'PodStaticCredentials',
    'its environment has AWS_ACCESS_KEY_ID and AWS_SECRET_ACCESS_KEY. Most AWS SDKs use access keys of the environment before the role. Remove this from the template, or delete the binding',
    name,
  );
const volumeTaken = (found: string) =>
  `its template has a volume "aws-iam-token" of its own ${found}, which the webhook keeps. Wanted: "sts.amazonaws.com". Rename or remove the volume`;

const alone: Record<string, Case> = {
  'that sets what is wanted is current, and nothing is said': { containers: [made({ env: RIGHT })], wanted: current },
  'that sets what is wanted, and whose pod is too old for the mount, is stale': {
    containers: [both({ env: RIGHT })],
    wanted: { kind: 'stale', finding: ofPod('PodCredentialsMissing', NO_MOUNT), leftAlone: undefined },
  },
  'with another role and the token of the webhook is exempt': { containers: [made({ env: OTHER })], wanted: exempt(OTHER_ROLE) },
  'with another role is stale where a new pod would have the token': {
    containers: [both({ env: OTHER })],
    wanted: {
      kind: 'stale',
      finding: ofPod('PodCredentialsMissing', NO_MOUNT),
      leftAlone: undefined,
      told: [of('PodEnvOverridden', OTHER_ROLE)],
    },
  },
  'that brings role, token and volume, as kOps does, is exempt': {
    containers: [made({ env: ELSEWHERE, ...ownToken('sts.amazonaws.com') })],
    wanted: exempt(`${sets(`"${ARN}"`, '"/var/run/secrets/amazonaws.com/token"')}${HINT}`),
  },
  'that brings them is exempt also before the webhook saw it': {
    containers: [both({ env: ELSEWHERE, ...ownToken('sts.amazonaws.com') })],
    wanted: exempt(`${sets(`"${ARN}"`, '"/var/run/secrets/amazonaws.com/token"')}${HINT}`),
  },
  'whose own token is for another audience is told so': {
    containers: [made({ env: ELSEWHERE, ...ownToken('amazonaws.com') })],
    wanted: exempt(`${sets(`"${ARN}"`, '"/var/run/secrets/amazonaws.com/token"', { also: ' with a token for "amazonaws.com"' })}${HINT}`),
  },
  'whose token file is in a volume of which nothing is known is exempt': {
    containers: [made({ env: ELSEWHERE, ...ownToken() })],
    wanted: exempt(`${sets(`"${ARN}"`, '"/var/run/secrets/amazonaws.com/token"')}${HINT}`),
  },
  'whose token file is nowhere is faulty': {
    containers: [made({ env: ELSEWHERE })],
    wanted: faulty('PodEnvOverridden', sets(`"${ARN}"`, '"/var/run/secrets/amazonaws.com/token"', NO_TOKEN)),
  },
  'whose role is no ARN is faulty': {
    containers: [made({ env: { ...RIGHT, AWS_ROLE_ARN: 'REPLACE_ME' } })],
    wanted: faulty('PodEnvOverridden', sets('"REPLACE_ME"', `"${TOKEN}"`)),
  },
  'whose role comes from another object is exempt': {
    containers: [made({ env: { ...RIGHT, AWS_ROLE_ARN: undefined } })],
    wanted: exempt(`${sets(FROM, `"${TOKEN}"`)}${HINT_MOUNT}`),
  },
  'whose token file comes from another object is exempt': {
    containers: [both({ env: { ...RIGHT, AWS_WEB_IDENTITY_TOKEN_FILE: undefined } })],
    wanted: exempt(`${sets(`"${ARN}"`, FROM)}${HINT}`),
  },
  'whose values the kubelet puts together is exempt': {
    containers: [both({ env: { AWS_ROLE_ARN: 'arn:aws:iam::$(ACCOUNT):role/x', AWS_WEB_IDENTITY_TOKEN_FILE: '$(DIR)/token' } })],
    wanted: exempt(`${sets('"arn:aws:iam::$(ACCOUNT):role/x"', '"$(DIR)/token"')}${HINT}`),
  },
  'that sets only the role is faulty': {
    containers: [made({ env: { AWS_ROLE_ARN: ARN } })],
    wanted: faulty('PodPartialInjection', ONLY_ROLE),
  },
  'that sets only the token file is faulty': {
    containers: [made({ env: { AWS_WEB_IDENTITY_TOKEN_FILE: TOKEN } })],
    wanted: faulty('PodPartialInjection', ONLY_FILE),
  },
  'that sets only the role is faulty also in a pod that the webhook never saw: a new one would be as wrong': {
    containers: [both({ env: { AWS_ROLE_ARN: ARN } })],
    wanted: faulty('PodPartialInjection', ONLY_ROLE),
  },
  'with an empty role, as a chart without a value writes it, is faulty': {
    containers: [made({ env: { ...RIGHT, AWS_ROLE_ARN: '' } })],
    wanted: faulty('PodPartialInjection', 'its template sets AWS_ROLE_ARN to "", so the webhook adds neither. Set neither'),
  },
  'with role, region and regional endpoints is faulty: the webhook does not mount the token': {
    containers: [both({ env: { ...RIGHT, ...REGION } })],
    wanted: faulty('PodEnvOverridden', NOT_MOUNTED),
  },
  'with them is faulty also where the old region variable is set, and the values are empty': {
    containers: [both({ env: { ...OTHER, AWS_DEFAULT_REGION: '', AWS_STS_REGIONAL_ENDPOINTS: '' } })],
    wanted: faulty('PodEnvOverridden', NOT_MOUNTED),
  },
  'with them and a token of its own on the path of the webhook is exempt': {
    containers: [both({ env: { ...OTHER, ...REGION }, own: { onWebhookPath: 'data', tokenFile: { audience: 'sts.amazonaws.com' } } })],
    wanted: exempt(`${sets(`"${OTHER_ARN}"`, `"${TOKEN}"`)}${HINT}`),
  },
  'with another role and the token of the webhook is stale where that lives too long': {
    containers: [made({ env: OTHER })],
    lifetime: 3_600,
    wanted: {
      kind: 'stale',
      finding: ofPod('PodExpirationStale', 'its token is valid for 86400 s. Wanted: 3600 s'),
      leftAlone: undefined,
      told: [of('PodEnvOverridden', OTHER_ROLE)],
    },
  },
  'with a token of its own is not asked how long that lives': {
    containers: [made({ env: ELSEWHERE, ...ownToken('sts.amazonaws.com') })],
    lifetime: 3_600,
    wanted: exempt(`${sets(`"${ARN}"`, '"/var/run/secrets/amazonaws.com/token"')}${HINT}`),
  },
  'with region and endpoints alone gets the role as any other': {
    containers: [made({ env: REGION }, { env: { ...REGION, ...RIGHT } })],
    wanted: current,
  },
  'whose volume of the name of the webhook has another audience is faulty': {
    containers: [right()],
    volume: true,
    pod: { tokenAudience: 'vault' },
    wanted: faulty('VolumeNameTaken', volumeTaken('with a token for "vault"')),
  },
  'whose volume of that name has no token is faulty, also before the webhook saw it': {
    containers: [old()],
    volume: true,
    pod: { tokenAudience: undefined },
    wanted: faulty('VolumeNameTaken', volumeTaken('without a token')),
  },
  'whose volume of that name is what the webhook would write is current, of any lifetime': {
    containers: [right()],
    volume: true,
    lifetime: 3_600,
    wanted: current,
  },
  'whose volume of that name is right, and which is too old, is stale': {
    containers: [old()],
    volume: true,
    wanted: { kind: 'stale', finding: ofPod('PodCredentialsMissing', MISSING), leftAlone: undefined },
  },
  'that mounts the volume of that name elsewhere is faulty: the webhook then adds no mount': {
    containers: [both({ env: {}, own: { tokenMount: '/tokens' } }, { env: RIGHT })],
    volume: true,
    wanted: faulty(
      'VolumeNameTaken',
      `its template mounts the volume "aws-iam-token" on "/tokens", so the webhook does not mount it. Wanted: "${PATH}". Rename or remove the volume`,
    ),
  },
  'that mounts it elsewhere, and names the file there, is exempt': {
    containers: [
      both({
        env: { ...OTHER, AWS_WEB_IDENTITY_TOKEN_FILE: '/tokens/token' },
        own: { tokenMount: '/tokens', tokenFile: { audience: 'sts.amazonaws.com' } },
      }),
    ],
    volume: true,
    wanted: exempt(`${sets(`"${OTHER_ARN}"`, '"/tokens/token"')}${HINT}`),
  },
  'that mounts another volume on the path of the webhook is barred': {
    containers: [both({ env: {}, own: { onWebhookPath: 'data' } })],
    wanted: barred(),
  },
  'that does so with another role is barred likewise: the mount is added all the same': {
    containers: [both({ env: OTHER, own: { onWebhookPath: 'data' } })],
    wanted: barred(),
  },
  'whose template does so by now is barred: its pod is the last one': {
    containers: [{ from: { own: { onWebhookPath: 'data' } }, now: { env: {} } }],
    wanted: barred(),
  },
  // Contract: pods-barred
  'whose pods ask for a lifetime that Kubernetes refuses is barred': {
    containers: [old()],
    pod: { annotations: { [LIFETIME]: '4294967297' } },
    wanted: refusedLifetime,
  },
  'with such a lifetime is barred though its pod has the role: it is the last one': {
    containers: [right()],
    pod: { annotations: { [LIFETIME]: '4294967297' } },
    wanted: refusedLifetime,
  },
  'with such a lifetime and a token volume of its own is right: the webhook adds none': {
    containers: [right()],
    pod: { annotations: { [LIFETIME]: '4294967297' } },
    volume: true,
    wanted: { kind: 'current' },
  },
  'with the longest lifetime that Kubernetes allows is right': {
    containers: [right()],
    pod: { annotations: { [LIFETIME]: '4294967296' } },
    wanted: { kind: 'current' },
  },
  'on Windows with the path of Windows and another role is exempt': {
    containers: [made({ env: { ...OTHER, AWS_WEB_IDENTITY_TOKEN_FILE: WINDOWS_TOKEN } })],
    pod: { windows: true },
    wanted: exempt(`${sets(`"${OTHER_ARN}"`, `"${WINDOWS_TOKEN}"`, { path: WINDOWS_TOKEN })}${HINT_MOUNT}`),
  },
  'on Windows with the path of Linux is faulty': {
    containers: [made({ env: OTHER })],
    pod: { windows: true },
    wanted: faulty('PodEnvOverridden', sets(`"${OTHER_ARN}"`, `"${TOKEN}"`, { ...NO_TOKEN, path: WINDOWS_TOKEN })),
  },
  'has what its template set before, and the template no longer does': {
    containers: [{ from: { env: {} }, now: { env: { AWS_ROLE_ARN: OTHER_ARN } } }],
    wanted: { kind: 'stale', finding: ofPod('PodCredentialsMissing', MISSING), leftAlone: undefined },
  },
  'has not yet what its template sets by now': {
    containers: [{ from: { env: RIGHT }, now: { env: OTHER, mountsToken: true } }],
    wanted: {
      kind: 'stale',
      finding: ofPod('PodRoleArnStale', `AWS_ROLE_ARN is "${OTHER_ARN}", as the template was when the pod was created. Wanted: "${ARN}"`),
      leftAlone: undefined,
    },
  },
  'has another token file than the webhook writes, and its template sets none': {
    containers: [{ from: { env: {} }, now: { env: { ...RIGHT, AWS_WEB_IDENTITY_TOKEN_FILE: '/token' }, mountsToken: true } }],
    wanted: {
      kind: 'stale',
      finding: ofPod('PodCredentialsMissing', `AWS_WEB_IDENTITY_TOKEN_FILE is "/token". Wanted: "${TOKEN}"`),
      leftAlone: undefined,
    },
  },
  'with an address for credentials that its template sets is stale: EKS Pod Identity did not set it': {
    containers: [both({ env: { AWS_CONTAINER_CREDENTIALS_FULL_URI: undefined } })],
    wanted: { kind: 'stale', finding: ofPod('PodCredentialsMissing', MISSING), leftAlone: undefined },
  },
  'with such an address is exempt where the label says that EKS Pod Identity has the pod': {
    containers: [both({ env: { AWS_CONTAINER_CREDENTIALS_FULL_URI: undefined } })],
    pod: { labels: { 'eks.amazonaws.com/pod-identity': 'enabled' } },
    wanted: {
      kind: 'exempt',
      finding: finding(
        'PodIdentityShadowsIrsa',
        'pod shop/app-1 has credentials from EKS Pod Identity, so the webhook injects no role. Remove the association or the binding',
      ),
    },
  },
};

const sidecar = (part: Pair) => named('logs', part);
const staleApp = (...told: ReturnType<typeof of>[]): PodState => ({
  kind: 'stale',
  finding: ofPod('PodCredentialsMissing', MISSING),
  leftAlone: undefined,
  ...(told.length === 0 ? {} : { told }),
});
const among: Record<string, Case> = {
  'with another role does not keep the pod from being current': {
    containers: [right(), sidecar(made({ env: OTHER }))],
    wanted: { kind: 'current', told: [of('PodEnvOverridden', OTHER_ROLE, 'logs')] },
  },
  'with another role does not keep the other from being mended': {
    containers: [old(), sidecar(both({ env: OTHER }))],
    wanted: staleApp(of('PodEnvOverridden', OTHER_ROLE, 'logs')),
  },
  'of the init containers with another role neither': {
    containers: [named('init', both({ env: OTHER })), old()],
    wanted: {
      kind: 'stale',
      finding: ofPod('PodCredentialsMissing', NO_MOUNT, 'init'),
      leftAlone: undefined,
      told: [of('PodEnvOverridden', OTHER_ROLE, 'init')],
    },
  },
  'with half an injection does not keep the other from being mended': {
    containers: [old(), sidecar(both({ env: { AWS_ROLE_ARN: ARN } }))],
    wanted: staleApp(of('PodPartialInjection', ONLY_ROLE, 'logs')),
  },
  'with half an injection is all that is wrong when the other is mended': {
    containers: [right(), sidecar(made({ env: { AWS_ROLE_ARN: ARN } }))],
    wanted: faulty('PodPartialInjection', ONLY_ROLE, 'logs', true),
  },
  'without a token does not keep the other from being mended': {
    containers: [old(), sidecar(both({ env: { ...RIGHT, ...REGION } }))],
    wanted: staleApp(of('PodEnvOverridden', NOT_MOUNTED, 'logs')),
  },
  'whose mount bars each new pod is all that counts, also where the other has the role': {
    containers: [right(), sidecar(both({ env: {}, own: { onWebhookPath: 'data' } }))],
    wanted: barred('logs'),
  },
  'whose mount bars each new pod keeps the other as it is': {
    containers: [old(), sidecar(both({ env: {}, own: { onWebhookPath: 'data' } }))],
    wanted: barred('logs'),
  },
  'of the init containers with access keys is told of, and keeps the pod from nothing': {
    containers: [named('init', made({ env: KEYS }, { env: { ...KEYS, ...RIGHT } })), right()],
    wanted: { kind: 'current', told: [keysFound('init')] },
  },
  'with access keys does not keep the other from being mended': {
    containers: [old(), sidecar(both({ env: KEYS }))],
    wanted: staleApp(keysFound('logs')),
  },
  'with access keys and another role is told both': {
    containers: [right(), sidecar(made({ env: { ...OTHER, ...KEYS } }))],
    wanted: { kind: 'current', told: [of('PodEnvOverridden', OTHER_ROLE, 'logs'), keysFound('logs')] },
  },
  'that is skipped is not looked at, whatever it sets': {
    containers: [right(), sidecar(both({ env: { ...KEYS, AWS_ROLE_ARN: ARN }, own: { onWebhookPath: 'data' } }))],
    pod: { annotations: { 'eks.amazonaws.com/skip-containers': 'logs' } },
    wanted: current,
  },
  'that another webhook put in is not looked at': {
    containers: [right()],
    pod: {
      containers: [
        { name: 'app', env: RIGHT, mountsToken: true },
        { name: 'istio-proxy', env: { AWS_ROLE_ARN: OTHER_ARN }, mountsToken: false },
      ],
    },
    wanted: current,
  },
};

// Contract: pods-template
describe('a container', () => {
  for (const [sentence, one] of Object.entries(alone)) test(sentence, () => expect(judged(one)).toEqual(one.wanted));
});
// Contract: pods-template
describe('one container of two', () => {
  for (const [sentence, one] of Object.entries(among)) test(sentence, () => expect(judged(one)).toEqual(one.wanted));
});

describe('where the template is not known', () => {
  const judgedAlone = (...containers: Container[]) => podState(podOf(replicaSet, 'app-1', { containers }), desired);
  const appOf = (env: Container['env']): Container => ({ name: 'app', env, mountsToken: true });
  const logs: Container = { name: 'logs', env: OTHER, mountsToken: true };
  const own = finding('PodEnvOverridden', `ReplicaSet "app-5d9c", container "logs": ${OTHER_ROLE}`);

  test('a role beside the wanted one is of the container itself: the webhook injects one role into a pod', () =>
    expect(judgedAlone(appOf(RIGHT), logs)).toEqual({ kind: 'current', told: [own] }));

  test('a role alone is one that was injected before', () =>
    expect(judgedAlone(logs)).toEqual({
      kind: 'stale',
      finding: ofPod(
        'PodRoleArnStale',
        `AWS_ROLE_ARN is "${OTHER_ARN}", as the annotation was when the pod was created. Wanted: "${ARN}"`,
        'logs',
      ),
      leftAlone: undefined,
    }));

  test('so is a role that all containers have', () =>
    expect(judgedAlone(appOf(OTHER), logs)).toEqual({
      kind: 'stale',
      finding: ofPod('PodRoleArnStale', `AWS_ROLE_ARN is "${OTHER_ARN}", as the annotation was when the pod was created. Wanted: "${ARN}"`),
      leftAlone: undefined,
    }));
});

test('a pod that has no container of its template is judged by what it has: the template is newer', () => {
  const pod = podOf(replicaSet, 'app-1', { containers: [{ name: 'old', env: {}, mountsToken: false }] });
  expect(podState(pod, desired, { kind: 'Deployment', name: 'app', template: template({ name: 'new' }) })).toEqual({
    kind: 'stale',
    finding: ofPod('PodCredentialsMissing', MISSING, 'old'),
    leftAlone: undefined,
  });
});
