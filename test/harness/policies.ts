import { ACCOUNT, type Statement } from './views.ts';

/** Trust policies as owners of roles write them. */
export const policy = (...statements: readonly object[]) => ({ Version: '2012-10-17', Statement: statements });

/** Lets no token in. */
export const EC2 = { Sid: 'Ec2', Effect: 'Allow', Principal: { Service: 'ec2.amazonaws.com' }, Action: 'sts:AssumeRole' } as const;
/** The trust policy of a role that no workload of the cluster may have yet. */
export const FOREIGN = policy(EC2);

export const hostOf = (issuer: string): string => issuer.replace('https://', '');
export const providerOf = (issuer: string): string => `arn:aws:iam::${ACCOUNT}:oidc-provider/${hostOf(issuer)}`;

/** Lets a subject in, with STS as the audience. `part` replaces members, `keys` adds conditions. */
export function allowing(issuer: string, subject: unknown, part: object = {}, keys: object = {}): object {
  const host = hostOf(issuer);
  return {
    Effect: 'Allow',
    Principal: { Federated: providerOf(issuer) },
    Action: 'sts:AssumeRoleWithWebIdentity',
    Condition: { StringEquals: { [`${host}:aud`]: 'sts.amazonaws.com', [`${host}:sub`]: subject, ...keys } },
    ...part,
  };
}

export const statementsIn = (document: string): Statement[] => (JSON.parse(document) as { Statement: Statement[] }).Statement;

/** By the form of its Sid, and the cluster that it is for. */
export const isOurs = ({ Sid = '', Principal }: Statement, issuer: string): boolean =>
  /^Irsa[a-z2-7]{12}$/.test(Sid) && Principal.Federated === providerOf(issuer);
