import type { Deb } from '../debian/deb.ts';
import { USER_ID } from '../runtime.ts';
import { directory, type Entry, file, link } from '../tar/entry.ts';

/** What a package puts into the image: libraries, what names the distribution, and the licenses of it all. */
const KEPT =
  /^(?:(?:bin|lib|lib64|sbin)$|usr\/lib(?:64)?\/|etc\/(?:debian_version|os-release)$|usr\/share\/common-licenses\/|usr\/share\/doc\/[^/]+(?:\/copyright)?$)/;
/** Conversions between character sets: 8 MB that only iconv loads. */
const LEFT_OUT = /\/gconv\//;

/** Roots of TLS, of which Debian installs one file when a script of the package runs. */
const CERTIFICATE = /^usr\/share\/ca-certificates\/mozilla\/.*\.crt$/;

const PASSWD = `root:x:0:0:root:/root:/sbin/nologin
nobody:x:65534:65534:nobody:/nonexistent:/sbin/nologin
nonroot:x:${USER_ID}:${USER_ID}:nonroot:/home/nonroot:/sbin/nologin
`;
const GROUP = `root:x:0:
nogroup:x:65534:
nonroot:x:${USER_ID}:
`;

/** The system below Node. It depends on the lock alone, so that nodes which have it need not load it with a new version of the operator. */
export function debianLayer(debs: readonly Deb[]): Entry[] {
  const all = debs.flatMap(({ entries }) => entries).filter(({ kind }) => kind !== 'directory');
  return [
    ...all.filter(({ path }) => KEPT.test(path) && !LEFT_OUT.test(path)),
    // Where scanners of images without dpkg find what is installed.
    ...debs.map(({ name, control }) => file(`var/lib/dpkg/status.d/${name}`, control)),
    file('etc/ssl/certs/ca-certificates.crt', certificatesIn(all)),
    file('etc/passwd', PASSWD),
    file('etc/group', GROUP),
    file('etc/nsswitch.conf', 'hosts: files dns\n'),
    directory('tmp', 0o1777),
    directory('home/nonroot', 0o700, USER_ID),
    directory('root', 0o700),
    // Where a runtime mounts: with a read-only root it cannot make them.
    ...['dev', 'proc', 'run', 'sys'].map((path) => directory(path)),
    link('var/run', '/run'),
  ];
}

function certificatesIn(entries: readonly Entry[]): string {
  const files = entries.filter((entry) => entry.kind === 'file').filter(({ path }) => CERTIFICATE.test(path));
  if (files.length === 0) throw new Error('no package has certificates: TLS would trust nobody');
  const sorted = files.toSorted((a, b) => (a.path < b.path ? -1 : 1));
  return sorted.map(({ content }) => `${content.toString('utf8').trimEnd()}\n`).join('');
}
