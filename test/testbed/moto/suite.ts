import { EKSClient } from '@aws-sdk/client-eks';
import { IAMClient } from '@aws-sdk/client-iam';
import { STSClient } from '@aws-sdk/client-sts';
import { type Answer, answerOf, masked } from './answer.ts';
import { CALLS } from './calls.ts';
import type { Clients } from './clients.ts';

/** How a client reaches what is compared: moto or the double. */
export interface Target {
  readonly endpoint: string;
  readonly credentials: { readonly accessKeyId: string; readonly secretAccessKey: string };
}

/** One after the other: later calls see what earlier ones made. */
export async function runSuite({ endpoint, credentials }: Target): Promise<Record<string, Answer>> {
  // One attempt: a retry would hide an answer that says "throttled" or 5xx.
  const options = { endpoint, credentials, region: 'us-east-1', maxAttempts: 1 };
  const stranger = { accessKeyId: 'AKIAAAAAAAAAAAAAAAAA', secretAccessKey: 'none' };
  const clients: Clients = {
    iam: new IAMClient(options),
    sts: new STSClient(options),
    eks: new EKSClient(options),
    strangerIam: new IAMClient({ ...options, credentials: stranger }),
    forgedIam: new IAMClient({ ...options, credentials: { ...credentials, secretAccessKey: 'forged' } }),
  };
  const answers: Record<string, Answer> = {};
  for (const [name, call] of Object.entries(CALLS)) answers[name] = masked(await answerOf(() => call(clients)));
  for (const client of Object.values(clients)) client.destroy();
  return answers;
}
