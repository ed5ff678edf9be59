import { createHash } from 'node:crypto';
import { existsSync, readdirSync, readFileSync } from 'node:fs';
import { basename, join } from 'node:path';

export type BinaryName = 'etcd' | 'kube-apiserver' | 'kube-controller-manager' | 'kubectl' | 'kwok' | 'amazon-eks-pod-identity-webhook';

/** What the testbed itself does not run, but some tests do. */
export type ToolName = 'actionlint' | 'argocd-lua' | 'crane' | 'hcldec' | 'helm' | 'kstatus' | 'kubeconform';

/** One Go module of `modules/`: a go.mod that pins one upstream project, two of them with a small program of ours. Their requirements disagree. */
export interface GoModule {
  name: string;
  /** Absolute. */
  folder: string;
  /** Import path of each program, by its name. */
  packages: Readonly<Record<string, string>>;
  /** How long the first build takes on two cores, downloads not counted: told to whoever waits. */
  firstBuild: string;
  ldflags: string;
}

const MODULES_FOLDER = join(import.meta.dirname, '..', 'modules');

/** No symbol table, no debug information: half the size, and nobody debugs Kubernetes here. */
const STRIPPED = '-s -w';

/** Every version that `make matrix` runs on, the oldest first: 1.33, ... Any other run has the one of `modules/kubernetes`. */
export function kubernetesVersions(): string[] {
  const folders = readdirSync(MODULES_FOLDER).filter((name) => /^kubernetes(-1\.\d+)?$/.test(name));
  return folders.map((name) => minorIn(readGoMod(join(MODULES_FOLDER, name)))).toSorted((a, b) => Number(a.slice(2)) - Number(b.slice(2)));
}

/** `KUBERNETES_VERSION` names another version than that of every day, such as 1.33. */
function kubernetesModule(wanted = process.env['KUBERNETES_VERSION'] ?? ''): string {
  const usual = join(MODULES_FOLDER, 'kubernetes');
  if (wanted === '' || wanted === minorIn(readGoMod(usual))) return usual;
  const folder = `${usual}-${wanted}`;
  if (!existsSync(folder)) throw new Error(`KUBERNETES_VERSION is "${wanted}", and there are ${kubernetesVersions().join(', ')}`);
  return folder;
}

function readGoMod(folder: string): string {
  return readFileSync(join(folder, 'go.mod'), 'utf8');
}

/** Small ones first: a mistake in the set-up shows after seconds, not after minutes. */
export function goModules(): GoModule[] {
  const kubernetes = kubernetesModule();
  return [
    {
      name: 'etcd',
      folder: join(MODULES_FOLDER, 'etcd'),
      packages: { etcd: 'go.etcd.io/etcd/server/v3' },
      firstBuild: 'about half a minute',
      ldflags: STRIPPED,
    },
    {
      name: 'webhook',
      folder: join(MODULES_FOLDER, 'webhook'),
      packages: { 'amazon-eks-pod-identity-webhook': 'github.com/aws/amazon-eks-pod-identity-webhook' },
      firstBuild: 'about half a minute',
      ldflags: STRIPPED,
    },
    {
      name: 'kwok',
      folder: join(MODULES_FOLDER, 'kwok'),
      packages: { kwok: 'sigs.k8s.io/kwok/cmd/kwok' },
      firstBuild: 'about a minute',
      ldflags: STRIPPED,
    },
    {
      name: basename(kubernetes),
      folder: kubernetes,
      packages: {
        'kube-apiserver': 'k8s.io/kubernetes/cmd/kube-apiserver',
        'kube-controller-manager': 'k8s.io/kubernetes/cmd/kube-controller-manager',
        kubectl: 'k8s.io/kubernetes/cmd/kubectl',
      },
      firstBuild: 'about four minutes',
      ldflags: `${STRIPPED} ${versionStamp(readGoMod(kubernetes))}`,
    },
  ];
}

/** hcldec evaluates files in the language of Terraform. */
export function toolModule(name: ToolName): GoModule {
  const folder = join(MODULES_FOLDER, name);
  const one = (path: string) => ({ name, folder, packages: { [name]: path }, ldflags: STRIPPED });
  switch (name) {
    case 'actionlint':
      return { ...one('github.com/rhysd/actionlint/cmd/actionlint'), firstBuild: 'about ten seconds' };
    case 'argocd-lua':
      return { ...one('.'), firstBuild: 'some seconds' };
    case 'kstatus':
      return { ...one('.'), firstBuild: 'about half a minute' };
    case 'kubeconform':
      return { ...one('github.com/yannh/kubeconform/cmd/kubeconform'), firstBuild: 'some seconds' };
    case 'crane':
      return { ...one('github.com/google/go-containerregistry/cmd/crane'), firstBuild: 'about ten seconds' };
    case 'hcldec':
      return { ...one('github.com/hashicorp/hcl/v2/cmd/hcldec'), firstBuild: 'some seconds' };
    case 'helm': {
      const version = requiredVersion('helm.sh/helm/v4', folder);
      const ldflags = `${STRIPPED} -X helm.sh/helm/v4/internal/version.version=${version}`;
      return { ...one('helm.sh/helm/v4/cmd/helm'), firstBuild: 'about four minutes', ldflags };
    }
  }
}

function requiredVersion(module: string, folder: string): string {
  const line = readFileSync(join(folder, 'go.mod'), 'utf8')
    .split('\n')
    .find((text) => text.includes(`${module} v`));
  const version = line?.trim().split(' ')[1];
  if (version === undefined) throw new Error(`${folder}/go.mod requires no ${module}: make it anew with modules/generate.sh`);
  return version;
}

/** Without the stamp the server says v0.0.0, and clients that look at the version misjudge it. */
export function versionStamp(goMod: string): string {
  const { version, major, minor } = kubernetesIn(goMod);
  const stamp = 'k8s.io/component-base/version';
  return `-X ${stamp}.gitVersion=${version} -X ${stamp}.gitMajor=${major} -X ${stamp}.gitMinor=${minor}`;
}

function minorIn(goMod: string): string {
  const { major, minor } = kubernetesIn(goMod);
  return `${major}.${minor}`;
}

function kubernetesIn(goMod: string): { version: string; major: string; minor: string } {
  const [version, major = '', minor = ''] = /(?<=\bk8s\.io\/kubernetes )v(\d+)\.(\d+)\.\d+/.exec(goMod) ?? [];
  if (version === undefined)
    throw new Error('modules/kubernetes/go.mod requires no k8s.io/kubernetes: make it anew with modules/generate.sh');
  return { version, major, minor };
}

/** Everything that the programs depend on, so that a changed pin is built and an unchanged one never again. 16 hex digits. */
export function moduleHash({ folder, ldflags }: Pick<GoModule, 'folder' | 'ldflags'>): string {
  const hash = createHash('sha256');
  const sources = readdirSync(folder)
    .filter((file) => file.endsWith('.go'))
    .toSorted();
  for (const part of [
    ...['go.mod', 'go.sum', ...sources].map((file) => readFileSync(join(folder, file))),
    ldflags,
    process.platform,
    process.arch,
  ]) {
    hash.update(part).update('\0');
  }
  return hash.digest('hex').slice(0, 16);
}
