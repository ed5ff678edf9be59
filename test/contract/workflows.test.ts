import { existsSync, globSync, readFileSync } from 'node:fs';
import { basename } from 'node:path';
import { describe, expect, test } from 'vitest';
import { parse } from 'yaml';

/** Workflows run with rights in the repository and in registries. What each of them may do is fixed here, so that more is a decision. */
const files = globSync('.github/workflows/*').sort();

interface Step {
  readonly uses?: string;
  readonly with?: Readonly<Record<string, unknown>>;
  readonly run?: string;
}
interface Job {
  readonly 'runs-on': string;
  readonly 'timeout-minutes'?: number;
  readonly permissions?: Readonly<Record<string, string>>;
  readonly strategy?: { readonly matrix: { readonly target: readonly string[] } };
  readonly steps: readonly Step[];
}
interface Workflow {
  readonly on: Readonly<Record<string, unknown>>;
  readonly permissions: object;
  readonly jobs: Readonly<Record<string, Job>>;
}

const RIGHTS: Readonly<Record<string, Readonly<Record<string, string>>>> = {
  'release.yaml release': { contents: 'write', packages: 'write', 'id-token': 'write' },
};
const TRIGGERS: Readonly<Record<string, object>> = {
  'ci.yaml': { push: { branches: ['main'] }, pull_request: null },
  'release.yaml': { push: { tags: ['v*'] } },
  'scheduled.yaml': { schedule: [{ cron: '17 2 * * *' }, { cron: '17 4 * * 6' }], workflow_dispatch: null },
};
/** Of the runner, which have no other way to do it. */
const PROGRAMS = [/^docker login ghcr\.io /, /^gh release create /];

const targets = new Set([...readFileSync('Makefile', 'utf8').matchAll(/^([a-z-]+):/gm)].map(([, target]) => target));

test('there are these workflows, and no other', () => expect(files.map((file) => basename(file))).toEqual(Object.keys(TRIGGERS)));

test('each action has one commit and one version in all of them', () => {
  const pins = files.flatMap((file) => [...readFileSync(file, 'utf8').matchAll(/uses: (.*)$/gm)].map(([, pin]) => pin ?? ''));
  for (const pin of pins) expect(pin).toMatch(/^actions\/[a-z-]+@[0-9a-f]{40} # v\d+\.\d+\.\d+$/);
  const actions = new Set(pins.map((pin) => pin.split('@')[0]));
  expect(new Set(pins).size).toBe(actions.size);
});

describe.each(files)('%s', (file) => {
  const text = readFileSync(file, 'utf8');
  const workflow = parse(text) as Workflow;
  const jobs = Object.entries(workflow.jobs);

  test('starts when it should, and never with the rights of the repository for the code of a fork', () => {
    expect(workflow.on).toEqual(TRIGGERS[basename(file)]);
    expect(text).not.toMatch(/pull_request_target|workflow_run/);
  });

  test('has no right but those of its jobs, and each job has as few as it needs', () => {
    expect(workflow.permissions).toEqual({});
    for (const [name, { permissions }] of jobs) expect(permissions).toEqual(RIGHTS[`${basename(file)} ${name}`] ?? { contents: 'read' });
  });

  test('has no secret', () => expect(text).not.toMatch(/\bsecrets\b/));

  test('ends, and runs on a version that does not move', () => {
    for (const [, job] of jobs) {
      expect(job['timeout-minutes']).toBeGreaterThan(0);
      expect(job['runs-on']).toBe('ubuntu-24.04');
    }
  });

  test('leaves no token in the checkout', () => {
    for (const { uses, with: given } of jobs.flatMap(([, { steps }]) => steps))
      if (uses?.startsWith('actions/checkout@')) expect(given).toEqual({ 'persist-credentials': false });
  });

  test('runs what a developer runs', () => {
    for (const [name, { steps, strategy }] of jobs)
      for (const { run } of steps) {
        if (run === undefined || PROGRAMS.some((program) => program.test(run))) continue;
        const [program, ...args] = run.split(' ');
        if (program === 'bash') expect(existsSync(args[0] ?? ''), run).toBe(true);
        // biome-ignore lint/suspicious/noTemplateCurlyInString: an expression of GitHub
        else if (run === 'make ${{ matrix.target }}')
          expect([...targets], name).toEqual(expect.arrayContaining([...(strategy?.matrix.target ?? [])]));
        else expect([program, [...targets]]).toEqual(['make', expect.arrayContaining(args)]);
      }
  });

  // What people write into titles and names of branches would be code.
  test('puts no expression into a command but the one of its own matrix', () => {
    const runs = jobs.flatMap(([, { steps }]) => steps.flatMap(({ run }) => run ?? []));
    expect(runs.join('\n').replaceAll(/\$\{\{ matrix\.target \}\}/g, '')).not.toContain('${{');
  });
});
