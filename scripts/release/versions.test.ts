import { readFileSync } from 'node:fs';
import { expect, test } from 'vitest';
import { parse } from 'yaml';
import { versionProblems } from './versions.ts';

test('parts of one version have no problem', () => expect(versionProblems({ npm: '1.2.3', chart: '1.2.3' }, '1.2.3')).toEqual([]));

test('a part of another version, or of one that moves, is named', () =>
  expect(versionProblems({ npm: '1.2.2', chart: '1.2.3', image: 'latest' }, '1.2.3')).toEqual([
    'npm is "1.2.2", and the release is "1.2.3"',
    'image is "latest", and the release is "1.2.3"',
  ]));

test('everything in the repository names the version of package.json', () => {
  const { version } = JSON.parse(readFileSync('package.json', 'utf8')) as { version: string };
  const lock = JSON.parse(readFileSync('package-lock.json', 'utf8')) as { version: string; packages: Record<string, { version?: string }> };
  const action = parse(readFileSync('action.yml', 'utf8')) as { inputs: { version: { default: string } } };
  const chart = parse(readFileSync('config/helm/irsa-operator/Chart.yaml', 'utf8')) as { version: string; appVersion: string };
  const [, image = ''] = /image: \S+:(\S+)$/m.exec(readFileSync('config/manager/deployment.yaml', 'utf8')) ?? [];
  const said = {
    'package-lock.json': lock.version,
    'package-lock.json, of its root': lock.packages['']?.version ?? '',
    'action.yml': action.inputs.version.default,
    'Chart.yaml: version': chart.version,
    'Chart.yaml: appVersion': chart.appVersion,
    'config/manager': image,
  };
  expect(versionProblems(said, version)).toEqual([]);
});
