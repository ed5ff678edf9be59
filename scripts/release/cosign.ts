import { mkdir } from 'node:fs/promises';
import { join } from 'node:path';
import { PROJECT } from '../../src/api/project.ts';
import { type Ran, run } from './run.ts';

/** Signs, and verifies. A reference names an image by its digest: what a tag means may change in between. */
export class Cosign {
  readonly #program: string;
  readonly #signing: readonly string[];
  readonly #verifying: readonly string[];

  private constructor(program: string, signing: readonly string[], verifying: readonly string[]) {
    this.#program = program;
    this.#signing = ['--yes', ...signing];
    this.#verifying = verifying;
  }

  /** With a new key, offline: no log of the public hears of it. */
  static async withNewKey(program: string, folder: string): Promise<Cosign> {
    await mkdir(folder, { recursive: true });
    await run(program, ['generate-key-pair'], { cwd: folder, env: environment() });
    return new Cosign(
      program,
      ['--key', join(folder, 'cosign.key'), '--tlog-upload=false'],
      ['--key', join(folder, 'cosign.pub'), '--insecure-ignore-tlog=true'],
    );
  }

  /** Without a key: by what GitHub says of the workflow that runs. Who verifies learns which workflow of which tag signed. */
  static asWorkflow(program: string, version: string): Cosign {
    const workflow = `${PROJECT.repository}/.github/workflows/release.yaml@refs/tags/v${version}`;
    const issuer = 'https://token.actions.githubusercontent.com';
    return new Cosign(program, [], ['--certificate-identity', workflow, '--certificate-oidc-issuer', issuer]);
  }

  async signFile(file: string, bundle: string): Promise<void> {
    await this.#run('sign-blob', ...this.#signing, '--bundle', bundle, file);
  }

  /** An index, and what is in it. */
  async sign(reference: string): Promise<void> {
    await this.#run('sign', ...this.#signing, '--recursive', reference);
  }

  /** Adds a signed SBOM to an image. */
  async attest(reference: string, sbom: string): Promise<void> {
    await this.#run('attest', ...this.#signing, '--type', 'cyclonedx', '--predicate', sbom, reference);
  }

  async verifyFile(file: string, bundle: string): Promise<void> {
    await this.#run('verify-blob', ...this.#verifying, '--bundle', bundle, file);
  }

  async verify(reference: string): Promise<void> {
    await this.#run('verify', ...this.#verifying, reference);
  }

  /** The SBOMs of an image that are signed. */
  async sbomsOf(reference: string): Promise<object[]> {
    const { stdout } = await this.#run('verify-attestation', ...this.#verifying, '--type', 'cyclonedx', reference);
    const envelopes = stdout.trim().split('\n');
    return envelopes.map((line) => {
      const { payload } = JSON.parse(line) as { payload: string };
      return (JSON.parse(Buffer.from(payload, 'base64').toString()) as { predicate: object }).predicate;
    });
  }

  async #run(...args: string[]): Promise<Ran> {
    return await run(this.#program, args, { env: environment() });
  }
}

/** The key is of this run alone, so its password is empty. */
function environment(): NodeJS.ProcessEnv {
  return { ...process.env, COSIGN_PASSWORD: '' };
}
