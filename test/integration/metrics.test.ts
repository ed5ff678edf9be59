import { once } from 'node:events';
import { connect, type Socket } from 'node:net';
import { until } from '@irsa-operator/testbed';
import { afterEach, describe, expect, test } from 'vitest';
import { parseAllDocuments } from 'yaml';
import { samples } from '../harness/scrape.ts';
import { integrationSuite } from '../harness/suite.ts';

/** What the metrics show of the bindings of a real control plane, and what clients of the two ports can take of the process. */
const suite = integrationSuite({ grant: {} });
const PATIENCE = { timeoutMs: 60_000 };

/** The series of a metric with these labels, as text. */
async function series(name: string, labels: Readonly<Record<string, string>>): Promise<Record<string, number>> {
  const found = (await samples(suite.operator)).filter(
    (one) => one.name === name && Object.entries(labels).every(([key, value]) => one.labels[key] === value),
  );
  return Object.fromEntries(found.map((one) => [Object.values(one.labels).join(' '), one.value]));
}

describe('what the metrics show', () => {
  // Contract: metrics-problems
  test('of a binding are series of its own for as long as something is not True', async () => {
    const s = await suite.working('repaired');
    const own = () => series('irsa_binding_status_condition', { namespace: 'repaired', condition: 'Ready' });
    await until('it has no series', async () => Object.keys(await own()).length === 0, PATIENCE);
    await s.change({ roleArn: `${s.roleArn}-missing` });
    const bad = { 'repaired app Ready False': 1, 'repaired app Ready True': 0, 'repaired app Ready Unknown': 0 };
    await until('Ready is False', async () => (await own())['repaired app Ready False'] === 1, PATIENCE);
    expect(await own()).toEqual(bad);
    expect(await series('irsa_binding_findings', { namespace: 'repaired' })).toEqual({ 'repaired app RoleNotFound': 1 });
    expect(await series('irsa_bindings', { condition: 'Ready', status: 'False' })).toEqual({ 'Ready False RoleNotFound': 1 });
    await s.change({ roleArn: s.roleArn });
    await until('it has no series again', async () => Object.keys(await own()).length === 0, PATIENCE);
    expect(await series('irsa_binding_findings', { namespace: 'repaired' })).toEqual({});
  });

  // Contract: metrics-problems
  test('of a binding are all series with --metrics-detail=full', async () => {
    await suite.restart(['--sweep-interval', '2s', '--metrics-detail=full']);
    await suite.working('full');
    const own = () => series('irsa_binding_status_condition', { namespace: 'full', condition: 'Ready' });
    await until('Ready is True', async () => (await own())['full app Ready True'] === 1, PATIENCE);
    await suite.restart();
  });
});

describe('a client of the ports', () => {
  const open: Socket[] = [];
  afterEach(() => {
    for (const socket of open.splice(0)) socket.destroy();
  });
  /** More than anybody may have open. */
  const MANY = 500;
  const portOf = (url: string) => Number(new URL(url).port);
  /** Connections on which this was sent. Resolves when the server has closed all but so many. */
  async function flood(url: string, text: string, left: number): Promise<void> {
    let closed = 0;
    const rest = Promise.withResolvers<void>();
    for (let each = 0; each < MANY; each += 1) {
      const socket = connect(portOf(url), '127.0.0.1');
      open.push(socket);
      socket.on('error', () => {}).resume();
      socket.once('close', () => {
        closed += 1;
        if (closed >= MANY - left) rest.resolve();
      });
      socket.write(text);
      if (each % 50 === 0) await once(socket, 'connect');
    }
    await rest.promise;
  }

  const HALF = `GET /metrics HTTP/1.1\r\nhost: a\r\nx: ${'x'.repeat(4_000)}`;
  const texts: Record<string, string> = {
    'that it leaves half-sent': HALF,
    'on which it sends nothing': '',
    'on which it asks': 'GET /metrics HTTP/1.1\r\nhost: a\r\n\r\n',
  };
  const ports = ['metricsUrl', 'healthUrl'] as const;
  const floods = Object.entries(texts).flatMap(([what, text]) => ports.map((port) => ({ what, text, port })));
  // Contract: metrics-connections
  for (const { what, text, port } of floods)
    test(`has 64 connections at most ${what} (${port}), and probes and scrapes are answered meanwhile`, async () => {
      const { operator } = suite;
      await flood(operator[port], text, 64);
      expect((await fetch(`${operator.healthUrl}/livez`)).status).toBe(200);
      expect((await fetch(`${operator.healthUrl}/readyz`)).status).toBe(200);
      expect(await suite.metrics()).toContain('leader_election_master_status');
    });

  // Contract: metrics-one-scrape
  test('that asks in a loop, and three others, have 20 answers a second, and the lease is kept', async () => {
    const { operator } = suite;
    const ends = performance.now() + 5_000;
    let answers = 0;
    const client = async () => {
      while (performance.now() < ends) {
        await (await fetch(`${operator.metricsUrl}/metrics`)).text();
        answers += 1;
      }
    };
    await Promise.all([client(), client(), client(), client()]);
    expect(answers).toBeLessThanOrEqual(20 * 5 + 4);
    expect(operator.log.filter(({ msg }) => msg === 'the lease was lost')).toEqual([]);
  });

  test('finds no probe on the port of the metrics, and no metrics on that of the probes', async () => {
    const { metricsUrl, healthUrl } = suite.operator;
    const asked = [`${metricsUrl}/livez`, `${metricsUrl}/readyz`, `${healthUrl}/metrics`].map(async (url) => (await fetch(url)).status);
    expect(await Promise.all(asked)).toEqual([404, 404, 404]);
  });
});

interface Rendered {
  kind: string;
  spec: {
    template: {
      metadata: { labels: object };
      spec: { containers: { ports: object[]; livenessProbe: object; readinessProbe: object }[] };
    };
  };
}

test('config/network-policy opens the port of the metrics alone, to the pods that config/manager deploys', async () => {
  await suite.testbed.kubectl(['apply', '-k', 'config/network-policy']);
  const { spec } = await suite.api.call<{ spec: object }>(
    'GET',
    '/apis/networking.k8s.io/v1/namespaces/irsa-operator-system/networkpolicies/irsa-operator',
  );
  expect(spec).toEqual({
    podSelector: { matchLabels: { 'app.kubernetes.io/name': 'irsa-operator' } },
    policyTypes: ['Ingress'],
    ingress: [{ from: [{ namespaceSelector: { matchLabels: { metrics: 'enabled' } } }], ports: [{ port: 'metrics', protocol: 'TCP' }] }],
  });
  const rendered = parseAllDocuments(await suite.testbed.kubectl(['kustomize', 'config/manager'])).map(
    (document) => document.toJS() as Rendered,
  );
  const deployment = rendered.find(({ kind }) => kind === 'Deployment') ?? expect.fail('there is no Deployment');
  const { metadata, spec: pod } = deployment.spec.template;
  expect(metadata.labels).toEqual({ 'app.kubernetes.io/name': 'irsa-operator' });
  expect(pod.containers.map(({ ports, livenessProbe, readinessProbe }) => [ports, livenessProbe, readinessProbe])).toMatchObject([
    [
      [
        { name: 'health', containerPort: 8081 },
        { name: 'metrics', containerPort: 8080 },
      ],
      { httpGet: { path: '/livez', port: 'health' } },
      { httpGet: { path: '/readyz', port: 'health' } },
    ],
  ]);
});
