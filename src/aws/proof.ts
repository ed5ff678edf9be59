import { AssumeRoleWithWebIdentityCommand, type STSClient } from '@aws-sdk/client-sts';
import { isFault } from '../api/fault.ts';
import { STS_REFUSAL_CODES } from '../api/sts-refusal.ts';
import type { AskSts } from '../controllers/verification/ports.ts';
import type { AwsCalls } from './calls.ts';
import { sessionName } from './session-name.ts';

/** A session may do what the role and this policy both allow: nothing (https://docs.aws.amazon.com/IAM/latest/UserGuide/access_policies.html#policies_session). GetCallerIdentity alone cannot be denied. */
const DENY_ALL = JSON.stringify({ Version: '2012-10-17', Statement: [{ Effect: 'Deny', Action: '*', Resource: '*' }] });
/** The shortest that STS grants. */
const SESSION_SECONDS = 900;

/** A token of a ServiceAccount with this audience, for ten minutes. Throws `Fault`. */
export type Tokens = (of: { readonly namespace: string; readonly name: string }, audience: string, signal: AbortSignal) => Promise<string>;

/** Gets a token and shows it to STS, as a pod would. Token and credentials end here: neither is returned, thrown or logged. */
export function stsProof(sts: STSClient, call: AwsCalls, tokens: Tokens): AskSts {
  return async ({ serviceAccount, question: { role, issuer, audience } }, signal) => {
    let token: string;
    try {
      token = await tokens(serviceAccount, audience, signal);
    } catch (error) {
      // By RBAC, or by the policy that confines us.
      if (isFault(error, 'denied') && error.code === 'Forbidden') return { kind: 'noToken', message: error.message };
      throw error;
    }
    try {
      await call({
        service: 'sts',
        operation: 'AssumeRoleWithWebIdentity',
        of: `role "${role}"`,
        signal,
        async send(options) {
          const command = new AssumeRoleWithWebIdentityCommand({
            RoleArn: role,
            RoleSessionName: sessionName('irsa-verify', issuer),
            WebIdentityToken: token,
            DurationSeconds: SESSION_SECONDS,
            Policy: DENY_ALL,
          });
          // The answer holds credentials: it is dropped unread.
          await sts.send(command, options);
        },
      });
      return { kind: 'admitted' };
    } catch (error) {
      if (!isFault(error)) throw error;
      const code = STS_REFUSAL_CODES.find((one) => one === error.code);
      if (code === undefined) throw error;
      return { kind: 'refused', code, message: error.cause instanceof Error ? error.cause.message : error.message };
    }
  };
}
