import { type ProviderArn, parseRoleArn, providerArnFor, type RoleArn } from '../../src/api/arn.ts';
import { type Issuer, issuerHostPath, parseIssuer } from '../../src/api/issuer.ts';
import { isProblem, type Problem } from '../../src/api/problem.ts';
import { type Subject, subjectOf } from '../../src/api/subject.ts';
import { type PolicyDocument, parseDocument } from '../../src/trust/document/document.ts';
import type { WebIdentity } from '../../src/trust/evaluate/request.ts';
import type { DesiredStatement } from '../../src/trust/plan.ts';

/** What every test of trust policies is about, unless it says otherwise: one role, one cluster, the controller of the article. */
export const ROLE: RoleArn = valid(parseRoleArn('arn:aws:iam::111122223333:role/AmazonEKSLoadBalancerControllerRole'));
export const ISSUER: Issuer = valid(parseIssuer('https://oidc.eks.us-east-1.amazonaws.com/id/EXAMPLED539D4633E53DE1B71EXAMPLE'));
export const OTHER_ISSUER: Issuer = valid(parseIssuer('https://oidc.eks.eu-central-1.amazonaws.com/id/0123456789ABCDEF0123456789ABCDEF'));
export const PROVIDER: ProviderArn = providerArnFor(ROLE, ISSUER);
export const HOST = issuerHostPath(ISSUER);
export const OTHER_HOST = issuerHostPath(OTHER_ISSUER);
export const ALB: Subject = subjectOf('kube-system', 'aws-load-balancer-controller');
export const AUDIENCE = 'sts.amazonaws.com';
/** The start of 2026: some dates in the documents are past, some are to come. */
export const NOW = Date.UTC(2026, 0, 1);
export const ACTION = 'sts:AssumeRoleWithWebIdentity';

export const REQUEST: WebIdentity = { provider: PROVIDER, issuer: ISSUER, subject: ALB, audience: AUDIENCE, now: NOW };

export function desired(change: Partial<DesiredStatement> = {}): DesiredStatement {
  return {
    role: ROLE,
    issuer: ISSUER,
    provider: PROVIDER,
    wanted: [{ subject: ALB, audience: AUDIENCE }],
    released: [],
    quota: 2048,
    now: NOW,
    ...change,
  };
}

/** A statement as people write it: this cluster's provider, the right action, and these conditions; members can be replaced or left out. */
export function allow(condition: object | undefined, change: Readonly<Record<string, unknown>> = {}): object {
  const statement = { Effect: 'Allow', Principal: { Federated: PROVIDER }, Action: ACTION, Condition: condition, ...change };
  return Object.fromEntries(Object.entries(statement).filter(([, value]) => value !== undefined));
}

export function policy(...statements: readonly object[]): string {
  return JSON.stringify({ Version: '2012-10-17', Statement: statements });
}

/** A document that the test knows to be readable. */
export function read(text: string): PolicyDocument {
  return valid(parseDocument(text));
}

export function valid<T>(parsed: T | Problem): T {
  if (isProblem(parsed)) throw new TypeError(parsed.problem);
  return parsed;
}
