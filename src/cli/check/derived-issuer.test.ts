import { expect, test } from 'vitest';
import { derivedIssuer } from './derived-issuer.ts';

const ID = '0123456789ABCDEF0123456789ABCDEF';
const EU = `https://oidc.eks.eu-west-1.amazonaws.com/id/${ID}`;
const rows: Record<string, string | undefined> = {
  [`https://${ID}.gr7.eu-west-1.eks.amazonaws.com`]: EU,
  [`https://${ID}.yl4.eu-west-1.eks.amazonaws.com/`]: EU,
  [`https://${ID}.sk1.eu-west-1.eks.amazonaws.com:443`]: EU,
  [`https://${ID.toLowerCase()}.gr7.eu-west-1.eks.amazonaws.com`]: EU,
  [`https://${ID}.sk1.us-gov-west-1.eks.amazonaws.com`]: `https://oidc.eks.us-gov-west-1.amazonaws.com/id/${ID}`,
  [`https://${ID}.gr7.cn-north-1.eks.amazonaws.com.cn`]: `https://oidc.eks.cn-north-1.amazonaws.com.cn/id/${ID}`,
  [`https://${ID.slice(1)}.gr7.eu-west-1.eks.amazonaws.com`]: undefined,
  [`https://${ID}.gr7.eu-west-1.eks.amazonaws.com.example.org`]: undefined,
  [`https://${ID}.gr7.eu-west-1.eks.amazonaws.com/x`]: undefined,
  [`http://${ID}.gr7.eu-west-1.eks.amazonaws.com`]: undefined,
  'https://eks-cluster.eu-west-1.api.aws': undefined,
  'https://127.0.0.1:6443': undefined,
  '': undefined,
};
for (const [server, issuer] of Object.entries(rows))
  test(`"${server}" ${issuer === undefined ? 'tells no issuer' : `is of ${issuer}`}`, () => expect(derivedIssuer(server)).toBe(issuer));
