import { readFileSync } from 'node:fs';

declare const IRSA_OPERATOR_VERSION: string | undefined;

/** Of package.json: put in by the build, read from the file when the sources run as they are. */
export const VERSION: string =
  typeof IRSA_OPERATOR_VERSION === 'string'
    ? IRSA_OPERATOR_VERSION
    : (JSON.parse(readFileSync(new URL('../package.json', import.meta.url), 'utf8')) as { version: string }).version;
