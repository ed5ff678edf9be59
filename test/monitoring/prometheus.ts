import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { createWriteStream, mkdirSync, renameSync, writeFileSync } from 'node:fs';
import { createServer } from 'node:net';
import { join } from 'node:path';
import { until } from '@irsa-operator/testbed';
import { stringify } from 'yaml';
import { programOfPrometheus } from '../harness/prometheus.ts';

/** Where a replica serves its metrics, and as which pod it is scraped. */
export interface Target {
  readonly pod: string;
  readonly metricsUrl: string;
}

/** A series with its value now. */
export interface Series {
  readonly labels: Readonly<Record<string, string>>;
  readonly value: number;
}

/** A real Prometheus, which scrapes and evaluates every second. */
export interface Prometheus {
  /** In place of those before. They are scraped within two seconds. */
  scrape(targets: readonly Target[]): void;
  query(promql: string): Promise<Series[]>;
  /** The values of each series, a value a step: with seconds since 1970. */
  range(promql: string, from: number, to: number, stepSeconds: number): Promise<{ labels: Series['labels']; values: [number, number][] }[]>;
  /** Labels of the alerts that fire now. */
  firing(): Promise<Series['labels'][]>;
  stop(): Promise<void>;
}

const UP_MS = 60_000;
/** As long without a sample is gone. In proportion, as Prometheus does with scrapes of a minute. */
const LOOKBACK = '5s';

/** `rules`: the text of a file of rules. `folder` is a folder of its own. */
export async function startPrometheus(folder: string, rules: string): Promise<Prometheus> {
  mkdirSync(folder, { recursive: true });
  writeFileSync(join(folder, 'rules.yaml'), rules);
  writeFileSync(join(folder, 'prometheus.yml'), stringify(CONFIGURATION));
  const targets = join(folder, 'targets.json');
  writeFileSync(targets, '[]');
  const port = await freePort();
  const child = spawn(
    await programOfPrometheus('prometheus'),
    [
      `--config.file=${join(folder, 'prometheus.yml')}`,
      `--storage.tsdb.path=${join(folder, 'data')}`,
      `--web.listen-address=127.0.0.1:${port}`,
      `--query.lookback-delta=${LOOKBACK}`,
    ],
    { stdio: ['ignore', 'pipe', 'pipe'], cwd: folder },
  );
  const log = createWriteStream(join(folder, 'prometheus.log'));
  child.stdout.pipe(log);
  child.stderr.pipe(log);
  const ended = once(child, 'exit');
  process.once('exit', () => child.kill('SIGKILL'));
  const url = `http://127.0.0.1:${port}`;
  await until('Prometheus is ready', async () => (await fetch(`${url}/-/ready`)).ok, { timeoutMs: UP_MS });

  async function ask<T>(path: string, params: Readonly<Record<string, string>> = {}): Promise<T> {
    const response = await fetch(`${url}/api/v1/${path}?${new URLSearchParams(params)}`);
    const { status, data, error } = (await response.json()) as { status: string; data: T; error?: string };
    if (status !== 'success') throw new Error(`Prometheus, ${path} ${params['query'] ?? ''}: ${error}`);
    return data;
  }

  return {
    scrape(all) {
      // Whole at once: it is read whenever it changes.
      writeFileSync(`${targets}.new`, JSON.stringify(all.map(targetOf)));
      renameSync(`${targets}.new`, targets);
    },
    async query(query) {
      const { result } = await ask<{ result: { metric: Series['labels']; value: [number, string] }[] }>('query', { query });
      return result.map(({ metric, value }) => ({ labels: metric, value: Number(value[1]) }));
    },
    async range(query, from, to, stepSeconds) {
      const { result } = await ask<{ result: { metric: Series['labels']; values: [number, string][] }[] }>('query_range', {
        query,
        start: String(from),
        end: String(to),
        step: String(stepSeconds),
      });
      return result.map(({ metric, values }) => ({ labels: metric, values: values.map(([at, value]) => [at, Number(value)]) }));
    },
    async firing() {
      const { alerts } = await ask<{ alerts: { labels: Series['labels']; state: string }[] }>('alerts');
      return alerts.filter(({ state }) => state === 'firing').map(({ labels }) => labels);
    },
    async stop() {
      child.kill('SIGKILL');
      await ended;
    },
  };
}

/** As the ServiceMonitor that ships. */
const CONFIGURATION = {
  global: { scrape_interval: '1s', scrape_timeout: '1s', evaluation_interval: '1s' },
  rule_files: ['rules.yaml'],
  scrape_configs: [
    { job_name: 'irsa-operator-metrics', honor_labels: true, file_sd_configs: [{ files: ['targets.json'], refresh_interval: '1s' }] },
  ],
};

const targetOf = ({ pod, metricsUrl }: Target) => ({
  targets: [metricsUrl.replace('http://', '')],
  labels: { namespace: 'irsa-operator-system', pod, container: 'irsa-operator' },
});

async function freePort(): Promise<number> {
  const server = createServer().listen(0, '127.0.0.1');
  await once(server, 'listening');
  const address = server.address();
  server.close();
  await once(server, 'close');
  return typeof address === 'object' && address !== null ? address.port : 0;
}
