import { readFile } from 'node:fs/promises';
import { startAwsDouble } from '../aws/index.ts';
import { differencesBetween } from './answer.ts';
import { ACCOUNT, CLUSTER } from './calls.ts';
import { runSuite } from './suite.ts';
const d = await startAwsDouble();
const env = d.env(ACCOUNT);
d.cluster({ accountId: ACCOUNT, name: CLUSTER, issuer: 'https://oidc.eks.us-east-1.amazonaws.com/id/X' });
const ours = await runSuite({ endpoint: d.endpoint, credentials: { accessKeyId: env.AWS_ACCESS_KEY_ID ?? '', secretAccessKey: env.AWS_SECRET_ACCESS_KEY ?? '' } });
const { answers } = JSON.parse(await readFile('test/golden/moto/answers.json', 'utf8'));
for (const n of Object.keys(answers)) { const x = differencesBetween(ours[n], answers[n]); console.log((x.length ? 'DIFF ' : 'same ') + n); for (const l of x) console.log('     ', l.slice(0, 420)); }
await d.stop();
