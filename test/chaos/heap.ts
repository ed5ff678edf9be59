import { setFlagsFromString } from 'node:v8';
import { runInNewContext } from 'node:vm';

setFlagsFromString('--expose-gc');
const collectGarbage = runInNewContext('gc') as () => void;

/** What a test run keeps of its own (results, messages, compiled code); what is not let go grows with each fault, and is soon more. */
export const HEAP_SLACK_BYTES = 24 * 2 ** 20;

/** Bytes in use after everything that nobody holds was let go. */
export function usedHeap(): number {
  collectGarbage();
  return process.memoryUsage().heapUsed;
}
