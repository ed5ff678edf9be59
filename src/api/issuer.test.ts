import { expect, test } from 'vitest';
import { issuerHostPath, parseIssuer } from './issuer.ts';
import { isProblem } from './problem.ts';

const accepted = [
  'https://oidc.eks.us-east-1.amazonaws.com/id/0123456789ABCDEF0123456789ABCDEF',
  'https://oidc.eks.cn-north-1.amazonaws.com.cn/id/AB',
  'https://oidc-eks.us-east-1.api.aws/id/AB',
  'https://tokens.example.org',
  'https://example.org/clusters/a_b~c',
  // IAM and STS keep a slash at the end, so it is part of the name (AKS, Auth0).
  'https://eastus.oic.prod-aks.azure.com/00000000-0000-0000-0000-000000000001/00000000-0000-0000-0000-000000000002/',
  'https://tokens.example.org/',
  'https://example.org/clusters//',
  'https://Tokens.Example.org/A/',
];
for (const text of accepted) {
  test(`"${text}" is an issuer`, () => {
    const issuer = parseIssuer(text);
    expect(issuer).toBe(text);
    expect(isProblem(issuer) ? '' : issuerHostPath(issuer)).toBe(text.slice('https://'.length));
  });
}

const refused: Record<string, string> = {
  'another scheme': 'http://oidc.example.org',
  'no scheme': 'oidc.eks.us-east-1.amazonaws.com/id/AB',
  'a port': 'https://oidc.example.org:8443/id',
  'a query': 'https://oidc.example.org/id?x=1',
  'a user': 'https://user@oidc.example.org',
  'white space': 'https://oidc.example.org/id AB',
  'a line end': 'https://oidc.example.org/id\n',
  'a wildcard': 'https://oidc.example.org/*',
};
for (const [sentence, text] of Object.entries(refused)) {
  test(`an issuer with ${sentence} is refused: IAM can have no provider for it`, () => {
    expect(parseIssuer(text)).toEqual({
      problem: `the issuer "${text}" is not a plain https URL (no port, no query), so IAM can have no provider for it`,
    });
  });
}

test('an issuer that is longer than IAM takes is refused, and not quoted whole', () => {
  const text = `https://example.org/${'x'.repeat(300)}`;
  expect(parseIssuer(text)).toEqual({ problem: `the issuer "${text.slice(0, 60)}..." has more than 255 characters` });
});
