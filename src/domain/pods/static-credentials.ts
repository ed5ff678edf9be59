import type { Container } from '../../api/cluster.ts';
import { type Finding, finding } from '../../api/finding.ts';
import { INJECTED } from '../../api/names.ts';

/** What else SDKs find in the environment. Each source is switched on by its first variables, any of them. */
interface Source {
  readonly switches: readonly string[];
  readonly alsoNamed?: readonly string[];
  /** Without the role it is no other source but the only one: what the webhook sets for EKS Pod Identity. */
  readonly besideRole?: true;
  /** Whether it comes before the role (web identity) in the default chains of the SDKs. */
  readonly order: string;
}

const ACCESS_KEY = 'AWS_ACCESS_KEY_ID';
/** What belongs to an access key, the key first. */
export const ACCESS_KEYS = [ACCESS_KEY, 'AWS_SECRET_ACCESS_KEY', 'AWS_SESSION_TOKEN'];
const FILES_FIRST = 'The SDKs for JavaScript, Rust and C++ look there before they use the role, others after it';
/**
 * In the order in which SDKs look. From the guides of the SDKs: https://docs.aws.amazon.com/sdkref/latest/guide/standardized-credentials.html
 * and the pages that it links.
 */
const SOURCES: readonly Source[] = [
  {
    switches: [ACCESS_KEY],
    alsoNamed: ACCESS_KEYS.slice(1),
    order: 'Most AWS SDKs use access keys of the environment before the role',
  },
  { switches: ['AWS_PROFILE', 'AWS_SHARED_CREDENTIALS_FILE'], order: FILES_FIRST },
  {
    switches: ['AWS_CONTAINER_CREDENTIALS_FULL_URI', 'AWS_CONTAINER_CREDENTIALS_RELATIVE_URI'],
    besideRole: true,
    order: 'AWS SDKs use the role before container credentials',
  },
];

/** An SDK takes an empty one for not set. */
export const hasAccessKey = (env: Container['env']): boolean => ACCESS_KEY in env && env[ACCESS_KEY] !== '';

/**
 * By the names of the variables alone. An SDK takes an empty one for not set, and what `envFrom` brings is not looked at. `template`: what the
 * template of the container sets, where that is known.
 */
export function staticCredentials({ env, secrets = {} }: Container, where: string, template = env): Finding | undefined {
  const isSet = (name: string) => name in env && env[name] !== '';
  const found = SOURCES.filter(({ switches, besideRole }) => switches.some(isSet) && (besideRole !== true || INJECTED.roleArn in env));
  const [first] = found;
  if (first === undefined) return undefined;
  const names = found.flatMap(({ switches, alsoNamed = [] }) => [...switches, ...alsoNamed].filter(isSet));
  const what = listed(names.map((name) => withSecret(name, secrets[name])));
  return finding('PodStaticCredentials', `${where}: its environment has ${what}. ${first.order}. ${adviceOn(names, template)}`);
}

function adviceOn(names: readonly string[], template: Container['env']): string {
  const foreign = names.filter((name) => !(name in template));
  if (foreign.length === 0) return 'Remove this from the template, or delete the binding';
  const own = names.filter((name) => name in template);
  const remove = own.length === 0 ? '' : `Remove ${listed(own)} from the template. `;
  const source = `The template does not set ${listed(foreign)}: an older one did, or another webhook does`;
  return `${remove}${source}. Restart the pods. If they have this again, change that webhook, or delete the binding`;
}

/** Of Secrets beyond the first few no name is kept. */
function withSecret(variable: string, secret = ''): string {
  const [name, key] = secret.split('/');
  return key === undefined ? variable : `${variable} (Secret "${name}", key "${key}")`;
}

function listed(names: readonly string[]): string {
  return names.length < 2 ? names.join('') : `${names.slice(0, -1).join(', ')} and ${names.at(-1)}`;
}
