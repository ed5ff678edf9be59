import { describe, expect, test } from 'vitest';
import type { ServiceAccount } from '../../api/cluster.ts';
import { keptOf } from '../../api/cut.ts';
import { EKS_ANNOTATIONS, FIELD_MANAGER, STS_AUDIENCE } from '../../api/names.ts';
import { ARN, NOW, serviceAccount, spec } from '../test-observed.ts';
import {
  annotationsAreOurs,
  desiredAnnotations,
  invalidExpiration,
  otherWriters,
  refusedExpiration,
  wrongAnnotations,
} from './annotations.ts';

const { roleArn, audience, tokenExpiration, stsRegionalEndpoints } = EKS_ANNOTATIONS;

/** Values, each with the managers that hold it. */
function account(found: Record<string, readonly [string, ...string[]]>): ServiceAccount {
  const entries = Object.entries(found);
  return {
    ...serviceAccount({}),
    annotations: Object.fromEntries(entries.map(([key, [value]]) => [key, value])),
    writers: Object.fromEntries(entries.map(([key, [, ...managers]]) => [key, managers.map((manager) => ({ manager, at: NOW }))])),
  };
}
const us = FIELD_MANAGER;
const role = [ARN, us] as const;

interface Case {
  readonly spec?: object;
  readonly found: ServiceAccount;
  readonly desired: Record<string, string>;
  readonly ours: boolean;
}
const cases: Record<string, Case> = {
  'only the role, where the audience is the default': { found: account({}), desired: { [roleArn]: ARN }, ours: false },
  'nothing is to do where we hold the role': { found: account({ [roleArn]: role }), desired: { [roleArn]: ARN }, ours: true },
  'the right value of somebody else is applied too, so that we may remove it': {
    found: account({ [roleArn]: [ARN, 'helm'] }),
    desired: { [roleArn]: ARN },
    ours: false,
  },
  'a value that two hold is ours as well': { found: account({ [roleArn]: [ARN, 'helm', us] }), desired: { [roleArn]: ARN }, ours: true },
  'every key that the binding names': {
    spec: { audience: 'other', tokenExpirationSeconds: 3600, stsRegionalEndpoints: true },
    found: account({ [roleArn]: role }),
    desired: { [roleArn]: ARN, [audience]: 'other', [tokenExpiration]: '3600', [stsRegionalEndpoints]: 'true' },
    ours: false,
  },
  'a regional endpoint that is refused': {
    spec: { stsRegionalEndpoints: false },
    found: account({ [roleArn]: role, [stsRegionalEndpoints]: ['false', us] }),
    desired: { [roleArn]: ARN, [stsRegionalEndpoints]: 'false' },
    ours: true,
  },
  'a foreign audience is corrected': {
    found: account({ [roleArn]: role, [audience]: ['other', 'helm'] }),
    desired: { [roleArn]: ARN, [audience]: STS_AUDIENCE },
    ours: false,
  },
  'the corrected one stays': {
    found: account({ [roleArn]: role, [audience]: [STS_AUDIENCE, us] }),
    desired: { [roleArn]: ARN, [audience]: STS_AUDIENCE },
    ours: true,
  },
  'our own audience goes when the binding names none any more': {
    found: account({ [roleArn]: role, [audience]: ['other', us] }),
    desired: { [roleArn]: ARN },
    ours: false,
  },
  'so does our token expiration': {
    found: account({ [roleArn]: role, [tokenExpiration]: ['3600', us] }),
    desired: { [roleArn]: ARN },
    ours: false,
  },
  'so does our regional endpoint': {
    found: account({ [roleArn]: role, [stsRegionalEndpoints]: ['true', us] }),
    desired: { [roleArn]: ARN },
    ours: false,
  },
  'settings of somebody else are left alone': {
    found: account({ [roleArn]: role, [tokenExpiration]: ['3600', 'helm'], [stsRegionalEndpoints]: ['true', 'helm'] }),
    desired: { [roleArn]: ARN },
    ours: true,
  },
};
describe('what the ServiceAccount shall carry', () => {
  for (const [sentence, { spec: part = {}, found, desired, ours }] of Object.entries(cases)) {
    test(sentence, () => {
      const one = spec(part);
      expect([desiredAnnotations(one, found), annotationsAreOurs(found, one)]).toEqual([desired, ours]);
    });
  }
});

const it = 'ServiceAccount "app": annotation';
const wanted = `Wanted: "${ARN}"`;
const wrong: Record<string, { readonly spec?: object; readonly found: Record<string, string>; readonly says: readonly string[] }> = {
  'nothing, where all is right': { found: { [roleArn]: ARN }, says: [] },
  'that it is missing': { found: {}, says: [`AnnotationMissing: ServiceAccount "app" has no annotation ${roleArn}. ${wanted}`] },
  'that it is empty': {
    found: { [roleArn]: '' },
    says: [`AnnotationMissing: ServiceAccount "app" has no annotation ${roleArn}. ${wanted}`],
  },
  'that it is another role': {
    found: { [roleArn]: 'arn:aws:iam::111122223333:role/other' },
    says: [`AnnotationRoleMismatch: ${it} ${roleArn} is "arn:aws:iam::111122223333:role/other". ${wanted}`],
  },
  'that the path was left out': {
    found: { [roleArn]: 'arn:aws:iam::111122223333:role/app' },
    says: [`AnnotationRoleMismatch: ${it} ${roleArn} is "arn:aws:iam::111122223333:role/app" (path "/" in place of "/team/"). ${wanted}`],
  },
  'that it is in another account': {
    found: { [roleArn]: 'arn:aws:iam::999900001111:role/team/app' },
    says: [
      `AnnotationRoleMismatch: ${it} ${roleArn} is "arn:aws:iam::999900001111:role/team/app" (account 999900001111 in place of 111122223333). ${wanted}`,
    ],
  },
  'that it is in another partition': {
    found: { [roleArn]: 'arn:aws-cn:iam::111122223333:role/team/app' },
    says: [
      `AnnotationRoleMismatch: ${it} ${roleArn} is "arn:aws-cn:iam::111122223333:role/team/app" (partition "aws-cn" in place of "aws"). ${wanted}`,
    ],
  },
  'that it differs in case': {
    found: { [roleArn]: 'arn:aws:iam::111122223333:role/team/App' },
    says: [
      `AnnotationRoleMismatch: ${it} ${roleArn} is "arn:aws:iam::111122223333:role/team/App" (it differs in case, and case counts in an ARN). ${wanted}`,
    ],
  },
  'that it is the ARN of a policy': {
    found: { [roleArn]: 'arn:aws:iam::111122223333:policy/app' },
    says: [
      `AnnotationMalformed: ${it} ${roleArn}: "arn:aws:iam::111122223333:policy/app" is not the ARN of a role: it names a resource of the kind "policy". Wanted: "arn:aws:iam::<12 digits>:role/<path and name>". The role of the binding is "${ARN}"`,
    ],
  },
  'that it is the ARN with a blank': {
    found: { [roleArn]: `${ARN} ` },
    says: [
      `AnnotationMalformed: ${it} ${roleArn}: "${ARN} " is not the ARN of a role: there is white space around it. Wanted: "arn:aws:iam::<12 digits>:role/<path and name>". The role of the binding is "${ARN}"`,
    ],
  },
  'the limit and the length of a name of 79 characters': {
    found: { [roleArn]: `arn:aws:iam::111122223333:role/${'n'.repeat(79)}` },
    says: [
      `AnnotationMalformed: ${it} ${roleArn}: "arn:aws:iam::111122223333:role/${'n'.repeat(79)}": the name of the role has 79 characters, and IAM allows 64. Shorten it. The role of the binding is "${ARN}"`,
    ],
  },
  'the limits and the length of something endless, in a few words': {
    found: { [roleArn]: keptOf('x'.repeat(200_000), 614) },
    says: [
      `AnnotationMalformed: ${it} ${roleArn}: "${'x'.repeat(160)}...": the ARN of the role has 200000 characters, and IAM allows 613. Shorten it: IAM allows 64 for the name, and 512 for the path. The role of the binding is "${ARN}"`,
    ],
  },
  'that the audience is another': {
    found: { [roleArn]: ARN, [audience]: 'vault ' },
    says: [`AudienceAnnotationMismatch: ${it} ${audience} is "vault ". Wanted: "sts.amazonaws.com"`],
  },
  'that the binding wants another lifetime and endpoint': {
    spec: { tokenExpirationSeconds: 3600, stsRegionalEndpoints: true },
    found: { [roleArn]: ARN, [tokenExpiration]: '03600' },
    says: [
      `AnnotationSettingMismatch: ${it} ${tokenExpiration} is "03600". Wanted: "3600"`,
      `AnnotationSettingMismatch: ServiceAccount "app" has no annotation ${stsRegionalEndpoints}. Wanted: "true"`,
    ],
  },
};
describe('what is wrong with the annotations: it says', () => {
  for (const [sentence, { spec: part = {}, found, says }] of Object.entries(wrong)) {
    test(sentence, () => expect(wrongAnnotations(found, spec(part)).map(({ code, message }) => `${code}: ${message}`)).toEqual(says));
  }
});

const expirations: Record<string, { readonly spec?: object; readonly value?: string; readonly takes?: string }> = {
  'none is fine': {},
  'a number is fine': { value: '3600' },
  'the least is fine': { value: '600' },
  'less is raised': { value: '599', takes: 'uses 600 instead, the minimum of the API server' },
  'a negative one is raised': { value: '-1', takes: 'uses 600 instead, the minimum of the API server' },
  'a duration is no number': { value: '1h', takes: 'uses its own default instead, because that is not a whole number' },
  'a fraction is no number': { value: '3600.0', takes: 'uses its own default instead, because that is not a whole number' },
  'nothing is no number': { value: '', takes: 'uses its own default instead, because that is not a whole number' },
  'zeros before it count nothing': { value: '0000000000000000000003600' },
  'more than 64 bits is no number of the webhook': {
    value: '9223372036854775808',
    takes: 'uses its own default instead, because that has more than 64 bits',
  },
  'the most that Kubernetes allows is fine': { value: '4294967296' },
  'where the binding names one the mismatch says it': { spec: { tokenExpirationSeconds: 3600 }, value: '1h' },
};
describe("somebody's token expiration", () => {
  for (const [sentence, { spec: part = {}, value, takes }] of Object.entries(expirations)) {
    test(sentence, () => {
      const found = invalidExpiration(account(value === undefined ? {} : { [tokenExpiration]: [value, 'helm'] }), spec(part));
      const message = `${it} ${tokenExpiration} is "${value}". The webhook ${takes}. Correct it, or set spec.tokenExpirationSeconds`;
      expect(found.map((one) => one.message)).toEqual(takes === undefined ? [] : [message]);
    });
  }
});

for (const value of ['4294967297', '+9223372036854775807']) {
  // Contract: pods-barred
  test(`a token expiration of ${value}: the limit is said, and that no pod can be created`, () => {
    const found = account({ [tokenExpiration]: [value, 'helm'] });
    const message = `${it} ${tokenExpiration} is "${value}", and Kubernetes allows 4294967296 seconds. The API server refuses each new pod. Lower it, or set spec.tokenExpirationSeconds`;
    expect(refusedExpiration(found, spec())?.message).toBe(message);
    expect(invalidExpiration(found, spec())).toEqual([]);
    expect(refusedExpiration(found, spec({ tokenExpirationSeconds: 3600 }))).toBeUndefined();
  });
}
for (const value of ['4294967296', '9223372036854775808', '1h'])
  test(`a token expiration of ${value} lets pods be created`, () =>
    expect(refusedExpiration(account({ [tokenExpiration]: [value, 'helm'] }), spec())).toBeUndefined());

test('those are named who hold a wrong value, once each, and not we', () => {
  const found = account({ [roleArn]: ['x', 'helm', us], [audience]: ['y', 'helm', 'argocd-controller'], [tokenExpiration]: ['1', 'me'] });
  expect(otherWriters(found, desiredAnnotations(spec(), found))).toEqual(['helm', 'argocd-controller']);
});
