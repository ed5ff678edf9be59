import { type ChildProcess, spawn } from 'node:child_process';
import { closeSync, openSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { until } from '../until.ts';
import { freePorts } from './ports.ts';

/** What is needed to run one program of the control plane. */
export interface Launch<Port extends string> {
  name: string;
  binary: string;
  /** Names of the ports that it listens on; the numbers are chosen at each attempt. */
  ports: readonly Port[];
  args: (ports: Record<Port, number>) => readonly string[];
  /** True once it is up. Also said by throwing: "not yet". */
  isUp: (ports: Record<Port, number>, signal: AbortSignal) => Promise<boolean>;
}

export interface Component<Port extends string = string> {
  readonly name: string;
  readonly ports: Record<Port, number>;
  /** Ends it at once: nothing of a testbed is worth a graceful end. */
  stop(): Promise<void>;
}

/** The same program where it was before: for a restart, whose clients know only the old ports. */
export function atPorts<Port extends string>({ name, binary, args, isUp }: Launch<Port>, ports: Record<Port, number>): Launch<never> {
  return { name, binary, ports: [], args: () => args(ports), isUp: (_, signal) => isUp(ports, signal) };
}

/** Three seconds on an idle machine; a minute when other things build on it. */
const UP_DEADLINE_MS = 60_000;

/** Two components racing for one port is rare, three times in a row is no race. */
const PORT_ATTEMPTS = 3;

/** Kubernetes logs a stack or a usage text after the cause; this much holds both. */
const LOG_TAIL_LINES = 20;

/** Starts a program whose log goes to `FOLDER/NAME.log`, and comes back when it is up. An early end is an error that quotes the log. */
export async function startComponent<Port extends string>(
  launch: Launch<Port>,
  folder: string,
  signal: AbortSignal,
): Promise<Component<Port>> {
  const log = join(folder, `${launch.name}.log`);
  for (let attempt = 1; ; attempt++) {
    const ports = await freePorts(launch.ports);
    signal.throwIfAborted();
    const child = run(launch.binary, launch.args(ports), folder, log);
    living.add(child);
    const ended = endOf(child);
    void ended.then(() => living.delete(child));
    try {
      await waitUntilUp(launch, ports, ended, signal);
      return { name: launch.name, ports, stop: watchOver(launch.name, child, ended, log) };
    } catch (error) {
      await kill(child, ended);
      signal.throwIfAborted(); // not its fault
      if (!(error instanceof EarlyEnd)) throw new Error(`${launch.name}: ${messageOf(error)}\n${tail(log)}`);
      // Another process took the port between our look and its bind.
      if (attempt < PORT_ATTEMPTS && /address already in use/.test(tail(log))) continue;
      throw new Error(`${launch.name} ended before it was up (${error.message}); the last lines of its log:\n${tail(log)}`);
    }
  }
}

/** When the testbed's process ends without having called `stop`, its children end with it. */
const living = new Set<ChildProcess>();
process.once('exit', () => {
  for (const child of living) child.kill('SIGKILL');
});

class EarlyEnd extends Error {}

function run(binary: string, args: readonly string[], folder: string, log: string): ChildProcess {
  const output = openSync(log, 'w');
  try {
    return spawn(binary, args, {
      cwd: folder,
      // Nothing of the user's environment: no proxy, no KUBECONFIG, no AWS credentials.
      env: { PATH: process.env['PATH'], HOME: folder, TMPDIR: folder },
      stdio: ['ignore', output, output],
      detached: true, // a group of its own: Ctrl-C is for the testbed, which then ends its children in order
    });
  } finally {
    closeSync(output);
  }
}

/** Resolves with how it ended: `exit status 1`, `SIGKILL`, or why it could not be started. Never rejects. */
function endOf(child: ChildProcess): Promise<string> {
  return new Promise((resolve) => {
    child.once('error', (error) => resolve(error.message));
    child.once('exit', (status, signal) => resolve(signal ?? `exit status ${status}`));
  });
}

async function waitUntilUp<Port extends string>(
  launch: Launch<Port>,
  ports: Record<Port, number>,
  ended: Promise<string>,
  signal: AbortSignal,
): Promise<void> {
  const stop = new AbortController();
  const probing = AbortSignal.any([signal, stop.signal]);
  const early = ended.then((how) => {
    throw new EarlyEnd(how);
  });
  const up = until('it is up', () => launch.isUp(ports, probing), { timeoutMs: UP_DEADLINE_MS, signal: probing });
  try {
    await Promise.race([up, early]);
  } finally {
    early.catch(() => {}); // an end after this is watchOver's
    stop.abort();
    await up.catch(() => {});
  }
}

/** Makes `stop`. Until it is called, an end of the program is said aloud: whatever fails after that, fails because of it. */
function watchOver(name: string, child: ChildProcess, ended: Promise<string>, log: string): () => Promise<void> {
  let expected = false;
  void ended.then((how) => {
    if (!expected) process.stderr.write(`testbed: ${name} ended by itself (${how}); the last lines of its log:\n${tail(log)}\n`);
  });
  return async () => {
    expected = true;
    await kill(child, ended);
  };
}

async function kill(child: ChildProcess, ended: Promise<string>): Promise<void> {
  child.kill('SIGKILL');
  await ended;
}

function tail(log: string): string {
  return readFileSync(log, 'utf8').trimEnd().split('\n').slice(-LOG_TAIL_LINES).join('\n');
}

function messageOf(error: unknown): string {
  return error instanceof Error ? error.message : String(error);
}
