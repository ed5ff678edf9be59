import type { Architecture } from './platforms.ts';
import { COMMAND, NODE, NODE_OPTIONS, PORTS, PROGRAM, USER } from './runtime.ts';

/** A layer, and what is in it in a word. */
export interface Layer {
  readonly what: string;
  /** Of the archive before it was compressed. */
  readonly diffId: string;
}

export interface ImageConfig {
  readonly architecture: Architecture;
  /** RFC 3339. */
  readonly created: string;
  readonly labels: Readonly<Record<string, string>>;
  readonly layers: readonly Layer[];
}

/** What a runtime does with the layers (https://github.com/opencontainers/image-spec/blob/main/config.md). */
export function imageConfig({ architecture, created, labels, layers }: ImageConfig): object {
  return {
    created,
    architecture,
    os: 'linux',
    config: {
      User: USER,
      ExposedPorts: Object.fromEntries(PORTS.map((port) => [`${port}/tcp`, {}])),
      Env: ['PATH=/usr/local/bin:/usr/bin', 'NODE_ENV=production', `NODE_OPTIONS=${NODE_OPTIONS}`],
      Entrypoint: [NODE, PROGRAM],
      Cmd: COMMAND,
      WorkingDir: '/',
      Labels: labels,
    },
    rootfs: { type: 'layers', diff_ids: layers.map(({ diffId }) => diffId) },
    history: layers.map(({ what }) => ({ created, created_by: 'scripts/image', comment: what })),
  };
}
