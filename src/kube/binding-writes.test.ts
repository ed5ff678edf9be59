import { afterEach, describe, expect, test } from 'vitest';
import { FINALIZER } from '../api/names.ts';
import { binding, serviceAccount } from '../domain/test-observed.ts';
import { bindingWrites } from './binding-writes.ts';
import { reply, type Seen, testServer, transportTo } from './test-server.ts';

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
  return { writes: bindingWrites(transport), seen: server.seen };
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
      const { writes } = await answering({ resourceVersion: '7', ...(found === undefined ? {} : { finalizers: found }) });
      const before = step === 'addFinalizer' ? [] : [FINALIZER];
      const done = writes[step](binding({ metadata: { finalizers: before } }), never);
      if (fails === undefined) expect(await done).toBe(step === 'addFinalizer' ? '7' : undefined);
      else await expect(done).rejects.toMatchObject(fails);
    });
});

// Contract: bad-size
describe('of thousands of finalizers only ours is kept, and the others stay:', () => {
  const others = Array.from({ length: 10_000 }, (_, index) => `example.com/${index}`);
  const target = { name: 'app', namespace: 'shop', uid: 'uid-app', resourceVersion: '1' };
  const asked = (seen: readonly Seen[]) => seen.map(({ method, body, headers }) => [method, headers['content-type'], body]);

  test('it is added by an apply that names no other', async () => {
    const { writes, seen } = await answering({ resourceVersion: '7', finalizers: [...others, FINALIZER] });
    expect(await writes.addFinalizer(binding({ metadata: { ...target, finalizers: [] } }), never)).toBe('7');
    const applied = { apiVersion: 'irsa-operator.dev/v1alpha1', kind: 'IrsaBinding', metadata: { ...target, finalizers: [FINALIZER] } };
    expect(asked(seen)).toEqual([['PATCH', 'application/apply-patch+yaml', applied]]);
  });

  test('it is removed from the list as the API server has it now, at the version that was looked at', async () => {
    const answers = [[...others, FINALIZER], others].map((finalizers) => ({ metadata: { resourceVersion: '7', finalizers } }));
    const server = await testServer((_request, response) => reply(response, 200, answers.shift()));
    const transport = transportTo(server.url);
    open.push(server, transport);
    await bindingWrites(transport).removeFinalizer(binding({ metadata: target }), never);
    const patch = { metadata: { ...target, finalizers: others } };
    expect(asked(server.seen)).toEqual([
      ['GET', undefined, undefined],
      ['PATCH', 'application/merge-patch+json', patch],
    ]);
  });
});

test('an annotated ServiceAccount is told as the API server has it now', async () => {
  const annotations = { 'eks.amazonaws.com/role-arn': 'other', 'example.com/x': 'x' };
  const { writes } = await answering({ namespace: 'shop', name: 'app', uid: 'u', resourceVersion: '7', annotations });
  expect(await writes.annotate(serviceAccount(), { 'eks.amazonaws.com/role-arn': 'sent' }, never)).toMatchObject({
    uid: 'u',
    resourceVersion: '7',
    annotations: { 'eks.amazonaws.com/role-arn': 'other' },
  });
});
