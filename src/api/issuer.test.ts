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

const PUBLIC = 'it is not a plain https URL';
const refused: Record<string, readonly [text: string, why: string]> = {
  'another scheme': ['http://oidc.example.org', 'it does not begin with "https://"'],
  'no scheme': ['oidc.eks.us-east-1.amazonaws.com/id/AB', 'it does not begin with "https://"'],
  'nothing but a name, as old clusters have it': ['kubernetes/serviceaccount', 'it does not begin with "https://"'],
  'nothing at all': ['', 'it does not begin with "https://"'],
  'a port': ['https://oidc.example.org:8443/id', 'it has a port, and IAM accepts none'],
  'the port of https': ['https://oidc.example.org:443', 'it has a port, and IAM accepts none'],
  'a query': ['https://oidc.example.org/id?x=1', PUBLIC],
  'a fragment': ['https://oidc.example.org/id#x', PUBLIC],
  'a user': ['https://user@oidc.example.org', PUBLIC],
  'a user and a password': ['https://user:secret@oidc.example.org', PUBLIC],
  'white space': ['https://oidc.example.org/id AB', PUBLIC],
  'a line end': ['https://oidc.example.org/id\n', PUBLIC],
  'a wildcard': ['https://oidc.example.org/*', PUBLIC],
  'no host': ['https:///id', PUBLIC],
  'an empty label': ['https://oidc..example.org', PUBLIC],
  'the default of kubeadm': ['https://kubernetes.default.svc.cluster.local', 'names under ".local" are not public'],
  'the name of the service': ['https://kubernetes.default.svc', 'names under ".svc" are not public'],
  'the name of the service, with a dot at its end': ['https://kubernetes.default.svc.', 'names under ".svc" are not public'],
  'the name of the service, in capitals': ['https://Kubernetes.Default.SVC', 'names under ".svc" are not public'],
  'the name of the service and its port': ['https://kubernetes.default.svc:443', 'it has a port, and IAM accepts none'],
  'the name of the service and a path': ['https://kubernetes.default.svc/', 'names under ".svc" are not public'],
  'the name of the service in a domain of its own': [
    'https://kubernetes.default.svc.k8s.example.org',
    '"kubernetes.default.svc.k8s.example.org" is the name of the API server inside the cluster',
  ],
  'a short name of the service': ['https://kubernetes.default', '"kubernetes.default" is the name of the API server inside the cluster'],
  'a single label': ['https://kubernetes', '"kubernetes" is not a public host name'],
  'a single label and a path': ['https://api/v1', '"api" is not a public host name'],
  'the machine itself': ['https://localhost', '"localhost" is not a public host name'],
  'the machine itself, in its domain': ['https://oidc.localhost', 'names under ".localhost" are not public'],
  'an address of a private network': ['https://10.0.0.1', 'its host is an IP address'],
  'an address and the port of the API server': ['https://192.168.1.10:6443', 'its host is an IP address'],
  'the address of the machine itself': ['https://127.0.0.1/', 'its host is an IP address'],
  'a public address': ['https://203.0.113.7/id', 'its host is an IP address'],
  'half an address, which is one to the network': ['https://10.1', 'its host is an IP address'],
  'an address of IPv6': ['https://[fd00::1]/id', 'its host is an IP address'],
  'an address of IPv6 and a port': ['https://[::1]:6443', 'its host is an IP address'],
  'a host of a private network of AWS': ['https://ip-10-0-0-1.ec2.internal', 'names under ".internal" are not public'],
  'a host of a home network': ['https://k3s.home.arpa/', 'names under ".home.arpa" are not public'],
  'a host of an office': ['https://api.k8s.corp', 'names under ".corp" are not public'],
  'a host of a LAN': ['https://k3s.lan', 'names under ".lan" are not public'],
  'a host of tests': ['https://oidc.test/id', 'names under ".test" are not public'],
};
for (const [sentence, [text, why]] of Object.entries(refused)) {
  test(`an issuer with ${sentence} is refused: AWS cannot reach it`, () => {
    expect(parseIssuer(text)).toEqual({ problem: `AWS cannot use the issuer "${text}": ${why}` });
  });
}

const near = [
  'https://kubernetes.example.org',
  'https://svc.example.org',
  'https://local.example.org',
  'https://internal.org',
  'https://mylocal.io',
  'https://1.2.3.4.example.org',
  'https://10-0-0-1.example.org',
  'https://localhost.example.org',
  'https://kubernetes.defaults.io',
];
for (const text of near) test(`"${text}" may be public`, () => expect(parseIssuer(text)).toBe(text));

test('an issuer that is longer than IAM takes is refused, and not quoted whole', () => {
  const text = `https://example.org/${'x'.repeat(300)}`;
  expect(parseIssuer(text)).toEqual({ problem: `the issuer "${text.slice(0, 60)}..." has more than 255 characters` });
});
