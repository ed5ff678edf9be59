import { readFileSync } from 'node:fs';
import { describe, expect, test } from 'vitest';
import { notesOf } from './changelog.ts';

const CHANGELOG = `# Changelog

## [Unreleased]

### Added
- Something.

## [1.2.3] - 2026-11-28

### Fixed
- A bug.

## [1.2.2] - 2026-11-01

- The first.
`;

describe('the notes of a release', () => {
  test('are its section of the changelog', () => expect(notesOf(CHANGELOG, '1.2.3')).toBe('### Fixed\n- A bug.\n'));

  for (const [what, version] of [
    ['a version that has no section', '1.2.4'],
    ['a version of which only digits are alike', '1.2'],
    ['what is not released', 'Unreleased'],
  ] as const)
    test(`are refused for ${what}`, () =>
      expect(() => notesOf(CHANGELOG, version)).toThrow(`CHANGELOG.md has no section "## [${version}]`));

  test('are refused where the section is empty', () =>
    expect(() => notesOf('## [1.2.3] - 2026-11-28\n\n## [1.2.2] - 2026-11-01\n\n- x\n', '1.2.3')).toThrow('has no section'));
});

test('CHANGELOG.md says what is not released yet, and sorts its versions from the newest on', () => {
  const text = readFileSync('CHANGELOG.md', 'utf8');
  const headings = [...text.matchAll(/^## (.*)$/gm)].map(([, heading]) => heading ?? '');
  expect(headings[0]).toBe('[Unreleased]');
  const versions = headings
    .slice(1)
    .map((heading) => /^\[(\d+)\.(\d+)\.(\d+)\] - \d{4}-\d\d-\d\d$/.exec(heading)?.slice(1).map(Number) ?? heading);
  expect(versions).toEqual(versions.toSorted((a, b) => [0, 1, 2].reduce((order, at) => order || Number(b[at]) - Number(a[at]), 0)));
});
