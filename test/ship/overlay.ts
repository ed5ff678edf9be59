import { mkdtempSync, writeFileSync } from 'node:fs';
import { join, relative } from 'node:path';
import type { Testbed } from '@irsa-operator/testbed';
import { stringify } from 'yaml';
import { RUN_HERE } from './operator-pods.ts';

/** A folder for kustomize, as a user writes it over config/default. `fields`: what it says beside what every release of the tests has. */
export function overlay(testbed: Testbed, fields: object = {}): string {
  const folder = mkdtempSync(join(testbed.folder, 'overlay-'));
  const patch = [
    { op: 'add', path: '/spec/template/spec/containers/0/args/-', value: '--sweep-interval=2s' },
    ...Object.entries(RUN_HERE).map(([label, value]) => ({
      op: 'add',
      path: `/spec/template/metadata/labels/${label.replaceAll('/', '~1')}`,
      value,
    })),
  ];
  const resources = [relative(folder, 'config/default')];
  const patches = [{ target: { kind: 'Deployment' }, patch: JSON.stringify(patch) }];
  writeFileSync(join(folder, 'kustomization.yaml'), stringify({ ...fields, resources, patches }));
  return folder;
}
