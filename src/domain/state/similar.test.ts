import { expect, test } from 'vitest';
import { parseIssuer } from '../../api/issuer.ts';
import { isProblem } from '../../api/problem.ts';
import { similarTo } from './similar.ts';

const EKS = 'oidc.eks.eu-west-1.amazonaws.com/id/0123456789ABCDEF0123456789ABCDEF';
const AKS = 'eastus.oic.prod-aks.azure.com/00000000-0000-0000-0000-000000000001/00000000-0000-0000-0000-000000000002';

const cases: Record<string, readonly [issuer: string, there: readonly string[], similar: readonly string[]]> = {
  'with a slash that the issuer has not': [EKS, [`${EKS}/`], [`${EKS}/`]],
  'without the slash that the issuer has': [`${AKS}/`, [AKS], [AKS]],
  'with two slashes': [`${AKS}/`, [`${AKS}//`], [`${AKS}//`]],
  'in another case': [EKS, [EKS.toLowerCase()], [EKS.toLowerCase()]],
  'of the same cluster in another region': [EKS, [EKS.replace('eu-west-1', 'us-east-1')], [EKS.replace('eu-west-1', 'us-east-1')]],
  'of the same cluster in another region, where the issuer has a slash': [
    `${EKS}/`,
    [EKS.replace('eu-west-1', 'us-east-1')],
    [EKS.replace('eu-west-1', 'us-east-1')],
  ],
  'but not every one that ends with a slash': [`${AKS}/`, ['auth.mozilla.auth0.com/', 'oidc.eks.eu-west-1.amazonaws.com/id/AB/'], []],
  'but not another cluster': [EKS, [EKS.replace(/.$/, '0')], []],
};
for (const [sentence, [text, there, wanted]] of Object.entries(cases)) {
  test(`a provider is similar: ${sentence}`, () => {
    const issuer = parseIssuer(`https://${text}`);
    if (isProblem(issuer)) throw new TypeError(issuer.problem);
    expect(
      similarTo(
        issuer,
        there.map((url) => `arn:aws:iam::111122223333:oidc-provider/${url}`),
      ),
    ).toEqual(wanted);
  });
}
