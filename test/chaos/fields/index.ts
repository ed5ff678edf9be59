import { type Api, connect, startTestbed, type Testbed } from '@irsa-operator/testbed';
import { install, type RunningOperator, startOperator } from '../../harness/operator.ts';
import { type Binding, conditionOf } from '../../harness/views.ts';
import { type Lane, openLane } from './lane.ts';
import { type Pick, sweepField, type Tally, valuesOf } from './sweep.ts';
import { type Field, fieldsOf, isReadable, withValue } from './values.ts';

export interface SweepResult extends Readonly<Tally> {
  readonly fields: readonly string[];
}

/** The limits are not what is tried here. */
const FLAGS = ['--sweep-interval', '2s', '--iam-writes-per-second', '50', '--iam-reads-per-second', '200'];

export const allFields = (): Field[] => [...fieldsOf('IrsaBinding'), ...fieldsOf('IrsaGrant')];

const everyValue: Pick = (values) => values;

/** Every field in a lane of its own, all lanes at once, and a binding beside them that has to stay Ready throughout. */
export async function sweepFields(fields: readonly Field[], say: (line: string) => void, pick = everyValue): Promise<SweepResult> {
  const testbed = await startTestbed();
  const api = connect(testbed.kubeconfig);
  let operator: RunningOperator | undefined;
  try {
    const audiences = audiencesOf(fields);
    testbed.aws.account().provider.put({ issuer: testbed.issuer, clientIds: [...new Set(['sts.amazonaws.com', ...audiences])] });
    await install(testbed);
    operator = await startOperator(testbed, FLAGS);
    return await run(testbed, api, { fields, audiences, say, pick });
  } finally {
    await operator?.stop();
    api.close();
    await testbed.stop();
  }
}

interface Sweep {
  readonly fields: readonly Field[];
  readonly audiences: readonly string[];
  readonly say: (line: string) => void;
  readonly pick: Pick;
}

async function run(testbed: Testbed, api: Api, { fields, audiences, say, pick }: Sweep): Promise<SweepResult> {
  const tally: Tally = { valid: 0, refused: 0, reported: 0, ways: 0, wrong: [] };
  const bystander = await openLane(testbed, api, 'bystander', []);
  await bystander.settled();
  const over = new AbortController();
  const watching = watchReady(bystander, api, tally, over.signal);
  await Promise.all(
    fields.map(async (field) => {
      const name = nameOf(field);
      const asks = field.kind === 'IrsaBinding' ? [...new Set(['sts.amazonaws.com', ...audiences])] : [];
      try {
        const lane = await openLane(testbed, api, `f-${name.toLowerCase().replaceAll('.', '-')}`, asks);
        await sweepField(field, lane, tally, pick);
        say(`${name} is done`);
      } catch (error) {
        tally.wrong.push(`${name}: ${error instanceof Error ? error.message : String(error)}`);
      }
    }),
  );
  over.abort();
  await watching;
  return { ...tally, fields: fields.map(nameOf) };
}

const nameOf = ({ kind, path }: Field): string => `${kind}.${path.join('.')}`;

/** What a binding may come to ask for in the sweep: the provider has them all, so that each of them works. */
function audiencesOf(fields: readonly Field[]): string[] {
  const field = fields.find(({ kind, path }) => kind === 'IrsaBinding' && path.join('.') === 'audience');
  if (field === undefined) return [];
  const base = { serviceAccountName: 'app', roleArn: 'arn:aws:iam::111122223333:role/app' };
  return valuesOf(field, base).filter(
    (value): value is string => typeof value === 'string' && isReadable('IrsaBinding', withValue(base, field.path, value)),
  );
}

async function watchReady(bystander: Lane, api: Api, tally: Tally, signal: AbortSignal): Promise<void> {
  const query = 'watch=true&timeoutSeconds=60&fieldSelector=metadata.name%3Dapp';
  const path = `${bystander.scene.path('irsabindings')}?${query}`;
  while (!signal.aborted) {
    try {
      for await (const { object } of api.watch<Binding>(path, signal)) {
        const ready = conditionOf(object, 'Ready');
        if (ready !== undefined && ready.status !== 'True') tally.wrong.push(`the other binding is ${JSON.stringify(ready)}`);
      }
    } catch (error) {
      if (!signal.aborted) tally.wrong.push(`the other binding could not be watched: ${String(error)}`);
    }
  }
}
