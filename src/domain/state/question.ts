import type { RoleArn } from '../../api/arn.ts';
import type { Issuer } from '../../api/issuer.ts';
import type { TokenSubject } from '../../api/subject.ts';

/** What a verdict answers: would STS let this token assume this role? */
export interface Question extends TokenSubject {
  readonly role: RoleArn;
  readonly issuer: Issuer;
}

export const questionKey = ({ role, issuer, subject, audience }: Question): string => JSON.stringify([role, issuer, subject, audience]);
