import { execFile, spawn } from 'node:child_process';
import { once } from 'node:events';
import { mkdir, writeFile } from 'node:fs/promises';
import { createServer } from 'node:net';
import { join } from 'node:path';
import { setTimeout as delay } from 'node:timers/promises';
import { promisify } from 'node:util';
import { EKSClient } from '@aws-sdk/client-eks';
import { pythonPackages } from '../python-packages.ts';
import { createMotoCluster } from './calls.ts';
import { runSuite, type Target } from './suite.ts';

const REQUIREMENTS = join(import.meta.dirname, 'requirements.txt');
const RECORD = join(import.meta.dirname, '../../golden/moto/answers.json');

/** moto takes any key; its clients must have one. */
const CREDENTIALS = { accessKeyId: 'testing', secretAccessKey: 'testing' };

/** Importing every service of moto takes some seconds on a cold disk. */
const START_MS = 60_000;
const POLL_MS = 200;

const run = promisify(execFile);

/** `make moto`: asks moto what the double will be compared with, and writes it down with moto's version and the date. */
async function record(): Promise<void> {
  const python = join(await pythonPackages('moto', REQUIREMENTS), 'python');
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
