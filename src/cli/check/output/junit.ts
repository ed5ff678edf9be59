import type { CheckStep } from '../../../domain/check/judge.ts';
import { plain, printable } from '../../output.ts';
import type { CheckReport } from '../check.ts';
import { acceptance, type Checked, causesOf, fixBlocks } from '../text.ts';
import { placeOf, slashed } from './results.ts';

/** What Jenkins and GitLab show of a test. */
interface TestCase {
  readonly of: Checked;
  readonly name: string;
  readonly file: string | undefined;
  readonly outcome: Outcome | undefined;
}
interface Outcome {
  readonly kind: 'failure' | 'error' | 'skipped';
  /** The code of the finding. */
  readonly type: string | undefined;
  readonly message: string;
  readonly details: readonly string[];
}

/** A test for each step of each ServiceAccount, and one for each note. */
export function junit({ checked, failOn }: CheckReport): string {
  const cases = checked.flatMap((one) => [...steps(one), ...notes(one, failOn)]);
  const count = (wanted: Outcome['kind']) => cases.filter(({ outcome }) => outcome?.kind === wanted).length;
  const counts = {
    name: 'irsa-operator check',
    tests: `${cases.length}`,
    failures: `${count('failure')}`,
    errors: `${count('error')}`,
    skipped: `${count('skipped')}`,
  };
  return [
    '<?xml version="1.0" encoding="UTF-8"?>',
    `<testsuites>`,
    `<testsuite${attributes(counts)}>`,
    ...cases.map(element),
    '</testsuite>',
    '</testsuites>',
    '',
  ].join('\n');
}

function steps(of: Checked): TestCase[] {
  return of.check.steps.map((step) => ({ of, name: step.name, file: placeOf(of, step.name)?.file, outcome: outcomeOf(step, of) }));
}

function outcomeOf({ state, text, findings }: CheckStep, { fixes }: Checked): Outcome | undefined {
  const causes = causesOf(findings);
  const [first] = causes;
  const details = causes.map(({ code, message, accepted }) =>
    plain(`${code}: ${message}${accepted === undefined ? '' : ` (${acceptance(accepted)})`}`),
  );
  switch (state) {
    case 'ok':
      return undefined;
    case 'fail': {
      const commands = fixBlocks(fixes).flatMap(({ title, lines }) => ['', title, ...lines]);
      return { kind: 'failure', type: first?.code, message: text, details: [...details, ...commands] };
    }
    case 'unread':
      return { kind: 'error', type: undefined, message: text, details: [plain(text)] };
    case 'skipped':
      return { kind: 'skipped', type: undefined, message: text, details: [] };
    case 'accepted':
      return { kind: 'skipped', type: undefined, message: details.join('. '), details: [] };
  }
}

/** What decides no exit code fails no pipeline here either. */
function notes(of: Checked, failOn: CheckReport['failOn']): TestCase[] {
  return causesOf(of.check.notes).map(({ code, message, accepted }) => ({
    of,
    name: code,
    file: placeOf(of)?.file,
    outcome:
      failOn === 'Warning' && accepted === undefined
        ? { kind: 'failure', type: code, message, details: [plain(message)] }
        : {
            kind: 'skipped',
            type: undefined,
            message: accepted === undefined ? message : `${message} (${acceptance(accepted)})`,
            details: [],
          },
  }));
}

function element({ of, name, file, outcome }: TestCase): string {
  const classname = `${of.namespace}/${of.name}`;
  const open = `<testcase${attributes({ name, classname, file: file === undefined ? undefined : slashed(file) })}`;
  if (outcome === undefined) return `${open}/>`;
  const { kind, type, message, details } = outcome;
  const inner = `<${kind}${attributes({ type, message: plain(message) })}`;
  return details.length === 0 ? `${open}>${inner}/></testcase>` : `${open}>${inner}>${xml(details.join('\n'))}</${kind}></testcase>`;
}

function attributes(values: Readonly<Record<string, string | undefined>>): string {
  return Object.entries(values)
    .map(([name, value]) => (value === undefined ? '' : ` ${name}="${xml(printable(value))}"`))
    .join('');
}

const ENTITIES: Readonly<Record<string, string>> = { '&': '&amp;', '<': '&lt;', '>': '&gt;', '"': '&quot;', "'": '&apos;' };

/** Of lines whose control characters are shown by their codes already: XML 1.0 has no way to write most of them. */
const xml = (text: string): string => text.replace(/[&<>"']/g, (character) => ENTITIES[character] ?? '');
