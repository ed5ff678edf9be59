import { isDeepStrictEqual } from 'node:util';
import type { Lane, State } from './lane.ts';
import { candidates, type Field, isReadable, type Spec, valueAt, withDefaults, withValue } from './values.ts';

export interface Tally {
  valid: number;
  refused: number;
  /** The API server took it and the parser does not. */
  reported: number;
  /** Specs that were reached in more than one way. */
  ways: number;
  readonly wrong: string[];
}

/** Some of the values of a field, or all of them. */
export type Pick = (values: readonly unknown[]) => readonly unknown[];

/** Each value of one field in its own lane: what it does, and that nothing is left of it when it is taken back. */
export async function sweepField(field: Field, lane: Lane, tally: Tally, pick: Pick): Promise<void> {
  const { kind, path, isRequired } = field;
  const base = lane.base(kind);
  const before = await lane.settled();
  const bySpec: (readonly [Spec, State])[] = [];
  const values = [...pick(valuesOf(field, base)), ...(isRequired ? [] : [undefined])];
  for (const value of values) {
    const spec = withValue(base, path, value);
    const what = `${kind} spec.${path.join('.')} = ${JSON.stringify(value)?.slice(0, 120) ?? 'absent'}`;
    const changed = await change(field, lane, spec, before, what, tally);
    if (changed !== undefined) bySpec.push([spec, changed]);
    if (changed === undefined) continue;
    await lane.put(kind, base);
    same(await lane.settled(), before, `${what}, rolled back`, tally);
  }
  if (isRequired) await change(field, lane, withValue(base, path, undefined), before, `${kind} without spec.${path.join('.')}`, tally);
  if (kind === 'IrsaBinding') await otherWays(lane, bySpec, base, `spec.${path.join('.')}`, tally);
}

export function valuesOf({ schema, path, kind }: Field, base: Spec): unknown[] {
  const present = valueAt(base, path);
  const byDefault = kind === 'IrsaBinding' ? valueAt(withDefaults(base), path) : undefined;
  return candidates(schema, present ?? byDefault);
}

/** What came of it; undefined where the API server refused it, as it should. */
async function change(field: Field, lane: Lane, spec: Spec, before: State, what: string, tally: Tally): Promise<State | undefined> {
  const { kind, isImmutable, path } = field;
  const readable = isReadable(kind, spec);
  const moves = isImmutable && !isDeepStrictEqual(valueAt(spec, path), valueAt(lane.base(kind), path));
  const generation = (await lane.scene.binding()).metadata.generation;
  if (kind === 'IrsaBinding' && typeof spec['roleArn'] === 'string') lane.role(spec['roleArn']);
  const refusal = await lane.put(kind, spec);
  if (refusal !== undefined) {
    tally.refused++;
    if (readable && !moves) tally.wrong.push(`${what}: the parser takes it, the API server says ${refusal}`);
    if ((await lane.scene.binding()).metadata.generation !== generation) tally.wrong.push(`${what}: refused, and the spec changed`);
    same(await lane.state(), before, `${what}, refused`, tally);
    return undefined;
  }
  if (moves) tally.wrong.push(`${what}: it is immutable, and the API server took it`);
  const after = await lane.settled();
  if (readable) {
    tally.valid++;
    return after;
  }
  tally.reported++;
  const authorized = JSON.stringify((after.status as { conditions: unknown[] }).conditions.slice(0, 4));
  if (!/InvalidSpec|NotGranted/.test(authorized)) tally.wrong.push(`${what}: cannot be read, and the status says ${authorized}`);
  same({ ...after, status: before.status }, before, `${what}, not readable`, tally);
  return after;
}

/** From one value to the next without a way back, and from nothing: the same spec, the same documents and annotations. */
async function otherWays(lane: Lane, bySpec: readonly (readonly [Spec, State])[], base: Spec, what: string, tally: Tally): Promise<void> {
  // Leaving alone is not revoking: what stands beside a binding that only looks depends on what it did before, by contract.
  const acting = bySpec.filter(([spec]) => {
    const { mode, suspend, trustPolicy } = withDefaults(spec);
    return mode === 'Enforce' && !suspend && trustPolicy === 'Managed';
  });
  const compare = (found: State, wanted: State, way: string) => {
    tally.ways++;
    same({ ...found, status: undefined }, { ...wanted, status: undefined }, `${what}, ${way}`, tally);
  };
  for (const [spec, state] of acting.toReversed()) {
    await lane.put('IrsaBinding', spec);
    compare(await lane.settled(), state, `${JSON.stringify(spec).slice(0, 200)} after other values`);
  }
  await lane.put('IrsaBinding', base);
  await lane.settled();
  for (const [spec, state] of acting) {
    await lane.scene.unbind();
    await lane.scene.gone();
    await lane.scene.bind(spec);
    compare(await lane.settled(), state, `${JSON.stringify(spec).slice(0, 200)} from the start`);
    await lane.put('IrsaBinding', base);
    await lane.settled();
  }
}

function same(found: State, wanted: State, what: string, tally: Tally): void {
  for (const part of ['documents', 'annotations', 'status'] as const) {
    // A role that was tried and left is no part of the state before.
    const [is, was] = [found[part], wanted[part]];
    if (!isDeepStrictEqual(is, was)) tally.wrong.push(`${what}: ${part} is ${JSON.stringify(is)}, not ${JSON.stringify(was)}`);
  }
}
