import { IAMClient } from '@aws-sdk/client-iam';
import { systemClock } from '../../src/runtime/clock.ts';
import { runWriter } from './writer.ts';

/** One cluster in a process of its own, with the unmodified SDK: `node process.ts INDEX ROLE_ID`. Ends with SIGTERM. */
const [index = '0', roleId = ''] = process.argv.slice(2);
const writer = runWriter({ index: Number(index), roleId, iam: new IAMClient({ maxAttempts: 1 }), clock: systemClock, random: Math.random });
process.once('SIGTERM', () => void writer.stop().then(() => process.exit(0)));
