import type { Wanted } from './lock.ts';

/**
 * Of the image, from Debian 13: what Node is linked to, the roots of TLS, and what names the distribution. gcc-14-base has the licenses of three of them. Not
 * tzdata, because Node brings its own time zones; not netbase, because every port is a number.
 */
export const IMAGE_PACKAGES: Wanted = {
  file: 'scripts/image/debian.lock.json',
  suite: 'trixie',
  packages: ['base-files', 'ca-certificates', 'gcc-14-base', 'libatomic1', 'libc6', 'libgcc-s1', 'libstdc++6'],
};

/** Of its test: what unpacks it and runs it. From Debian 12, so that they run on that and on whatever has a newer C library. */
export const TEST_PACKAGES: Wanted = {
  file: 'test/image/debian.lock.json',
  suite: 'bookworm',
  packages: ['libseccomp2', 'qemu-user-static', 'runc', 'umoci'],
};

/** Of a release: what signs it and verifies its signatures. */
export const RELEASE_PACKAGES: Wanted = {
  file: 'scripts/release/debian.lock.json',
  suite: 'trixie',
  packages: ['cosign'],
};

/** Every lock. */
export const LOCKS: readonly Wanted[] = [IMAGE_PACKAGES, TEST_PACKAGES, RELEASE_PACKAGES];
