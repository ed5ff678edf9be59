import { afterEach, describe, expect, test } from 'vitest';
import { FINALIZER } from '../api/names.ts';
import { binding, serviceAccount } from '../domain/test-observed.ts';
import { bindingWrites } from './binding-writes.ts';
import { reply, testServer, transportTo } from './test-server.ts';

const open: { close(): Promise<unknown> }[] = [];
afterEach(async () => {
  for (const one of open.splice(0).toReversed()) await one.close();
});
const never = new AbortController().signal;
const THEIRS = 'example.com/theirs';

/** The writes against an API server that answers so. */
async function answering(metadata: object) {
  const server = await testServer((_request, response) => reply(response, 200, { metadata }));
  const transport = transportTo(server.url);
  open.push(server, transport);
  return bindingWrites(transport);
}

const UNDONE = 'A mutating webhook or policy undid the write within its request. Configure it to leave irsa-operator alone';
const without = { kind: 'transient', message: `IrsaBinding "app" has no finalizer "${FINALIZER}" after the write. ${UNDONE}` };
const still = { kind: 'transient', message: `IrsaBinding "app" still has the finalizer "${FINALIZER}" after the write. ${UNDONE}` };

const finalizers: Record<string, { do: 'addFinalizer' | 'removeFinalizer'; found: string[] | undefined; fails?: object }> = {
  'that was added is there': { do: 'addFinalizer', found: [FINALIZER] },
  'that was added is there beside others': { do: 'addFinalizer', found: [THEIRS, FINALIZER] },
  'that was added and is missing is a failure': { do: 'addFinalizer', found: undefined, fails: without },
  'that was added and is missing beside others is a failure': { do: 'addFinalizer', found: [THEIRS], fails: without },
  'that was removed is gone': { do: 'removeFinalizer', found: undefined },
  'that was removed is gone, and others stay': { do: 'removeFinalizer', found: [THEIRS] },
  'that was removed and is there is a failure': { do: 'removeFinalizer', found: [FINALIZER], fails: still },
  'that was removed and is there beside others is a failure': { do: 'removeFinalizer', found: [THEIRS, FINALIZER], fails: still },
};
// Contract: annotate-own-request
describe('a finalizer', () => {
  for (const [sentence, { do: step, found, fails }] of Object.entries(finalizers))
    test(sentence, async () => {
      const writes = await answering({ resourceVersion: '7', ...(found === undefined ? {} : { finalizers: found }) });
      const before = step === 'addFinalizer' ? [] : [FINALIZER];
      const done = writes[step](binding({ metadata: { finalizers: before } }), never);
      if (fails === undefined) expect(await done).toBe(step === 'addFinalizer' ? '7' : undefined);
      else await expect(done).rejects.toMatchObject(fails);
    });
});

test('an annotated ServiceAccount is told as the API server has it now', async () => {
  const annotations = { 'eks.amazonaws.com/role-arn': 'other', 'example.com/x': 'x' };
  const writes = await answering({ namespace: 'shop', name: 'app', uid: 'u', resourceVersion: '7', annotations });
  expect(await writes.annotate(serviceAccount(), { 'eks.amazonaws.com/role-arn': 'sent' }, never)).toMatchObject({
    uid: 'u',
    resourceVersion: '7',
    annotations: { 'eks.amazonaws.com/role-arn': 'other' },
  });
});
