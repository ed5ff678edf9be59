import { globSync, readFileSync } from 'node:fs';
import { expect, test } from 'vitest';
import { PROJECT } from '../../src/api/project.ts';

const [, owner] = /^ghcr\.io\/([\w-]+)\//.exec(PROJECT.image) ?? [];

test('every address of the project has the owner of src/api/project.ts', () => {
  const files = globSync([
    '*.md',
    'action.yml',
    '{docs,config}/**/*.{md,yaml,txt}',
    '.github/workflows/*',
    'src/**/*.ts',
    'scripts/**/*.ts',
  ]);
  const named = files.flatMap((file) => {
    const found = readFileSync(file, 'utf8').matchAll(/\b(?:github\.com|ghcr\.io)\/([\w-]+)\/(?:charts\/)?irsa-operator\b/g);
    return [...found].map(([address, of]) => ({ file, address, of }));
  });
  expect(named.length).toBeGreaterThan(5);
  expect(named.filter(({ of }) => of !== owner)).toEqual([]);
});
