import { expect, test } from 'vitest';
import { type BindingSpec, parseBindingSpec } from '../../api/binding.ts';
import { type IrsaGrant, parseGrantSpec } from '../../api/grant.ts';
import { isProblem } from '../../api/problem.ts';
import { GrantIndex } from './grant-index.ts';

const ARN = 'arn:aws:iam::111122223333:role/platform/lbc';

function spec(part: object = {}): BindingSpec {
  const parsed = parseBindingSpec({ serviceAccountName: 'lbc', roleArn: ARN, ...part });
  if (isProblem(parsed)) throw new Error(parsed.problem);
  return parsed;
}

function grant(part: object = {}, name = 'g'): IrsaGrant {
  const whole = { roleArns: [ARN], namespaces: { names: ['kube-system'] }, serviceAccountNames: ['lbc'], ...part };
  return { name, spec: parseGrantSpec(whole), uid: 'grant', generation: 1, revocationConfirmedAt: undefined };
}

const kubeSystem = { name: 'kube-system', labels: { team: 'platform' } };
const names = (grants: IrsaGrant[], of = spec(), namespace = kubeSystem) =>
  new GrantIndex(grants).grantsFor(of, namespace).map(({ grant: name }) => name);

const covered: Record<string, object> = {
  'by its exact ARN': {},
  'by "*" within one part of the path': { roleArns: ['arn:aws:iam::111122223333:role/platform/*'] },
  'by "*" in the middle of a name': { roleArns: ['arn:aws:iam::111122223333:role/plat*m/l*c'] },
  'by the label of the namespace': { namespaces: { selector: { matchLabels: { team: 'platform' } } } },
  'by a pattern of names': { serviceAccountNames: ['l*'] },
};
for (const [sentence, part] of Object.entries(covered))
  test(`a binding is covered ${sentence}`, () => expect(names([grant(part)])).toEqual(['g']));

// Contract: report-twice
test('grants are named in the same order, whichever was seen first', () =>
  expect(names([grant({}, 'b'), grant({}, 'a')])).toEqual(['a', 'b']));

/** Attempts to get a role past the grant. */
const bypasses: Record<string, { grant?: object; spec?: object; labels?: Record<string, string>; namespace?: string }> = {
  'leaving the path out': { spec: { roleArn: 'arn:aws:iam::111122223333:role/lbc' } },
  'another partition': { spec: { roleArn: 'arn:aws-cn:iam::111122223333:role/platform/lbc' } },
  'another account': { spec: { roleArn: 'arn:aws:iam::999922223333:role/platform/lbc' } },
  'another case': { spec: { roleArn: 'arn:aws:iam::111122223333:role/platform/LBC' } },
  '"*" does not cross "/"': { grant: { roleArns: ['arn:aws:iam::111122223333:role/*'] } },
  'a path that goes deeper than the pattern': {
    grant: { roleArns: ['arn:aws:iam::111122223333:role/platform/*'] },
    spec: { roleArn: 'arn:aws:iam::111122223333:role/platform/deep/lbc' },
  },
  'a name that only begins so': { spec: { roleArn: 'arn:aws:iam::111122223333:role/platform/lbc2' } },
  'another namespace': { grant: { namespaces: { names: ['kube-systems'] } } },
  'a namespace that was relabelled': {
    grant: { namespaces: { selector: { matchLabels: { team: 'platform' } } } },
    labels: { team: 'other' },
  },
  'a label that every object inherits': { grant: { namespaces: { selector: { matchLabels: { constructor: 'x' } } } } },
  'one of two labels': { grant: { namespaces: { selector: { matchLabels: { team: 'platform', tier: 'one' } } } } },
  'another ServiceAccount': { spec: { serviceAccountName: 'lbc2' } },
  'another audience': { spec: { audience: 'sigstore' } },
  'an empty selector': { grant: { namespaces: { selector: { matchLabels: {} } } } },
  'a Cyrillic look-alike in the namespace': { grant: { namespaces: { names: ['kube-system'] } }, namespace: 'kube-systеm' },
  'a Cyrillic look-alike in a label': {
    grant: { namespaces: { selector: { matchLabels: { team: 'platform' } } } },
    labels: { team: 'plаtform' },
  },
  'an audience in another case': { spec: { audience: 'STS.amazonaws.com' } },
  'a ServiceAccount whose name only ends so': { spec: { serviceAccountName: 'xlbc' } },
  'a path that is only the end of the granted one': { spec: { roleArn: 'arn:aws:iam::111122223333:role/x/platform/lbc' } },
  '"?" does not stand for a character': { grant: { roleArns: ['arn:aws:iam::111122223333:role/platform/l?c'] } },
  '"*" for an account': { grant: { roleArns: ['arn:aws:iam::*:role/platform/lbc'] } },
};
for (const [sentence, { grant: part, spec: of, labels, namespace = kubeSystem.name }] of Object.entries(bypasses)) {
  // Contract: api-grant-patterns
  test(`a grant does not cover: ${sentence}`, () => {
    expect(names([grant(part)], spec(of), { name: namespace, labels: (labels ?? kubeSystem.labels) as typeof kubeSystem.labels })).toEqual(
      [],
    );
  });
}

test('two grants that cover half of a binding each do not add up', () => {
  expect(names([grant({ serviceAccountNames: ['other'] }, 'role'), grant({ roleArns: [`${ARN}2`] }, 'name')])).toEqual([]);
});

// Contract: bad-names
test('a role ARN with a look-alike letter is no role ARN', () => {
  const spelt = { serviceAccountName: 'lbc', roleArn: 'arn:aws:iam::111122223333:role/platform/lbс' };
  expect(isProblem(parseBindingSpec(spelt))).toBe(true);
});

/** Label keys as an attacker's JSON has them: `__proto__` is an own key there, and no literal of ours could say it. */
const inherited: Record<string, string> = {
  'a namespace without the label __proto__': '{}',
  'a namespace without the label constructor': '{"team":"platform"}',
};
for (const [sentence, labels] of Object.entries(inherited)) {
  const label = sentence.split(' ').at(-1) ?? '';
  test(`a selector for "${label}" does not cover ${sentence}`, () => {
    const selector = JSON.parse(`{"matchLabels":{"${label}":"x"}}`);
    expect(names([grant({ namespaces: { selector } })], spec(), { name: 'kube-system', labels: JSON.parse(labels) })).toEqual([]);
  });
}

test('a selector does not lose the label __proto__ beside another one', () => {
  const selector = JSON.parse('{"matchLabels":{"__proto__":"x","team":"platform"}}');
  expect(names([grant({ namespaces: { selector } })])).toEqual([]);
});

test('a grant does not lose the required role tag __proto__, without which it would be wider', () => {
  const requiredRoleTags = JSON.parse('{"__proto__":"x","owner":"platform"}');
  expect(names([grant({ requiredRoleTags })])).toEqual([]);
});

// Contract: api-default-deny
test('without a grant nothing is covered', () => expect(names([])).toEqual([]));
