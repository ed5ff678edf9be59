import { execFile, spawn } from 'node:child_process';
import { createHash } from 'node:crypto';
import { once } from 'node:events';
import { existsSync } from 'node:fs';
import { mkdir, readFile, rm, writeFile } from 'node:fs/promises';
import { createServer } from 'node:net';
import { homedir } from 'node:os';
import { join } from 'node:path';
import { setTimeout as delay } from 'node:timers/promises';
import { promisify } from 'node:util';
import { EKSClient } from '@aws-sdk/client-eks';
import { createMotoCluster } from './calls.ts';
import { runSuite, type Target } from './suite.ts';

const REQUIREMENTS = join(import.meta.dirname, 'requirements.txt');
const RECORD = join(import.meta.dirname, '../../golden/moto/answers.json');

/** moto takes any key; its clients must have one. */
const CREDENTIALS = { accessKeyId: 'testing', secretAccessKey: 'testing' };

/** pip downloads 100 MB, on a slow line too. */
const INSTALL_MS = 15 * 60_000;
/** Importing every service of moto takes some seconds on a cold disk. */
const START_MS = 60_000;
const POLL_MS = 200;

const run = promisify(execFile);

/** `make moto`: asks moto what the double will be compared with, and writes it down with moto's version and the date. */
async function record(): Promise<void> {
  const python = await installMoto();
  const port = await freePort();
  const server = spawn(python, ['-m', 'moto.server', '-H', '127.0.0.1', '-p', String(port)], { stdio: 'ignore' });
  try {
    const target: Target = { endpoint: `http://127.0.0.1:${port}`, credentials: CREDENTIALS };
    await untilReady(target.endpoint);
    const eks = new EKSClient({ ...target, region: 'us-east-1' });
    await createMotoCluster(eks);
    eks.destroy();
    const answers = await runSuite(target);
    const moto = (await run(python, ['-c', 'import moto; print(moto.__version__)'])).stdout.trim();
    const recorded = new Date().toISOString().slice(0, 'yyyy-mm-dd'.length);
    await mkdir(join(RECORD, '..'), { recursive: true });
    await writeFile(RECORD, `${JSON.stringify({ moto, recorded, answers }, null, 2)}\n`);
    console.log(`recorded ${Object.keys(answers).length} answers of moto ${moto}`);
  } finally {
    server.kill();
    await once(server, 'exit');
  }
}

/** A virtual environment per requirements.txt; one that was interrupted lacks the mark and is made anew. Returns its Python. */
async function installMoto(): Promise<string> {
  const hash = createHash('sha256')
    .update(await readFile(REQUIREMENTS))
    .digest('hex')
    .slice(0, 16);
  const folder = join(process.env.XDG_CACHE_HOME ?? join(homedir(), '.cache'), 'irsa-operator/moto', hash);
  const python = join(folder, 'bin/python');
  if (existsSync(join(folder, 'complete'))) return python;
  console.log(`installing moto into ${folder} (about 316 MB) ...`);
  await rm(folder, { recursive: true, force: true });
  try {
    await run('python3', ['-m', 'venv', folder]);
  } catch (error) {
    throw new Error('"python3 -m venv" does not work here: make moto needs Python 3.10 or newer with its venv module', { cause: error });
  }
  await run(python, ['-m', 'pip', 'install', '--quiet', '--requirement', REQUIREMENTS], { timeout: INSTALL_MS });
  await writeFile(join(folder, 'complete'), '');
  return python;
}

async function freePort(): Promise<number> {
  const server = createServer().listen(0, '127.0.0.1');
  await once(server, 'listening');
  const address = server.address();
  server.close();
  if (address === null || typeof address === 'string') throw new Error('the system gave no free port');
  return address.port;
}

async function untilReady(endpoint: string): Promise<void> {
  const deadline = AbortSignal.timeout(START_MS);
  for (;;) {
    const answer = await fetch(`${endpoint}/moto-api/`, { signal: deadline }).catch(() => undefined);
    if (answer !== undefined) return;
    if (deadline.aborted) throw new Error(`moto did not answer at ${endpoint} within ${START_MS / 1_000} s`);
    await delay(POLL_MS);
  }
}

await record();
