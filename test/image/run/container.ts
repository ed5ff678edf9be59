import { type ChildProcessByStdio, execFile, spawn } from 'node:child_process';
import { once } from 'node:events';
import { readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import type { Readable } from 'node:stream';
import { text } from 'node:stream/consumers';
import { promisify } from 'node:util';
import { COMMAND } from '../../../scripts/image/runtime.ts';
import type { Ended } from '../../harness/command.ts';
import { memoryBytes } from '../deployment.ts';
import type { Tools } from './tools.ts';

export interface Start {
  /** In place of what the image says, behind its entrypoint. */
  readonly args?: readonly string[];
  /** In place of the entrypoint and its arguments. */
  readonly command?: readonly string[];
  readonly env?: Readonly<Record<string, string>>;
  /** Of this machine, by where they are in the container. They are read-only there. */
  readonly mounts?: Readonly<Record<string, string>>;
  /** In place of the user of the image. */
  readonly uid?: number;
}

/** Of the runtime specification (https://github.com/opencontainers/runtime-spec/blob/main/config.md), what is read or changed here. */
interface RuntimeConfig {
  process: {
    terminal: boolean;
    user: { uid: number; gid: number };
    args: string[];
    env: string[];
    capabilities: Record<string, string[]>;
    noNewPrivileges: boolean;
  };
  root: { readonly: boolean };
  mounts: { destination: string; type: string; source: string; options: string[] }[];
  linux: { namespaces: { type: string }[]; resources: object };
}

/** A folder that umoci wrote, run by runc as the kubelet would have it run: with what config/manager allows, and nothing more. */
export class Container {
  readonly #tools: Tools;
  readonly #folder: string;
  readonly #fromImage: string;
  #started = 0;

  constructor(tools: Tools, folder: string) {
    this.#tools = tools;
    this.#folder = folder;
    this.#fromImage = readFileSync(join(folder, 'config.json'), 'utf8');
  }

  get rootfs(): string {
    return join(this.#folder, 'rootfs');
  }

  start(start: Start): ChildProcessByStdio<null, Readable, Readable> {
    writeFileSync(join(this.#folder, 'config.json'), JSON.stringify(confined(JSON.parse(this.#fromImage) as RuntimeConfig, start)));
    return spawn(this.#tools.runc, [...this.#state, 'run', '--bundle', this.#folder, this.#name(++this.#started)], {
      stdio: ['ignore', 'pipe', 'pipe'],
      env: this.#env,
    });
  }

  async run(start: Start): Promise<Ended> {
    const child = this.start(start);
    const [stdout, stderr, [code]] = await Promise.all([text(child.stdout), text(child.stderr), once(child, 'close')]);
    return { code: code as number | null, stdout, stderr };
  }

  /** Ends what is left. */
  async remove(): Promise<void> {
    for (let at = 1; at <= this.#started; at += 1)
      await promisify(execFile)(this.#tools.runc, [...this.#state, 'delete', '--force', this.#name(at)], { env: this.#env });
  }

  get #state(): string[] {
    return ['--root', `${this.#folder}.state`];
  }

  get #env(): NodeJS.ProcessEnv {
    return { PATH: process.env['PATH'], LD_LIBRARY_PATH: this.#tools.libraries };
  }

  #name(at: number): string {
    return `irsa-operator-test-${process.pid}-${at}`;
  }
}

function confined(config: RuntimeConfig, { args, command, env = {}, mounts = {}, uid }: Start): RuntimeConfig {
  const { process: init, linux } = config;
  const entrypoint = init.args.slice(0, -COMMAND.length);
  return {
    ...config,
    process: {
      ...init,
      terminal: false,
      user: uid === undefined ? init.user : { uid, gid: 0 },
      args: [...(command ?? [...entrypoint, ...(args ?? COMMAND)])],
      env: [...init.env, ...Object.entries(env).map(([name, value]) => `${name}=${value}`)],
      capabilities: Object.fromEntries(Object.keys(init.capabilities).map((set) => [set, []])),
      noNewPrivileges: true,
    },
    root: { ...config.root, readonly: true },
    mounts: [
      ...config.mounts,
      ...Object.entries(mounts).map(([destination, source]) => ({ destination, source, type: 'bind', options: ['rbind', 'ro'] })),
    ],
    linux: {
      ...linux,
      // The network of this machine, where the API server and AWS are.
      namespaces: linux.namespaces.filter(({ type }) => type !== 'network'),
      resources: { ...linux.resources, memory: { limit: memoryBytes() } },
    },
  };
}
