import { stringify } from 'yaml';
import type { IrsaBinding } from '../../api/binding.ts';
import { keyOf } from '../../api/cluster.ts';
import { lineOf, widthsOf } from '../output.ts';
import type { GET_OUTPUTS } from './flags.ts';
import type { BindingPorts } from './ports.ts';
import { columnsOf, dataOf, type Row, rowOf } from './rows.ts';
import { isSelected, type Selection, selectedFrom } from './select.ts';

type Output = (typeof GET_OUTPUTS)[number];
type Print = (text: string) => void;

/** Prints the bindings that are meant. Throws `Fault`. Resolves with how many there are. */
export async function get(
  selection: Selection,
  output: Output,
  { bindings, clock }: BindingPorts,
  print: Print,
  signal: AbortSignal,
): Promise<number> {
  const found = selectedFrom(selection, await bindings.list(selection, signal));
  if (output === 'json') print(`${JSON.stringify(found.map(dataOf), undefined, 2)}\n`);
  else if (output === 'yaml') print(stringify(found.map(dataOf)));
  else if (found.length > 0) new Table(selection, output).print(found, clock.now(), print);
  return found.length;
}

/** Prints them, and then each change of one that is meant or was, until the signal is aborted. A line of JSON each, or a row. */
export async function watch(
  selection: Selection,
  output: Output,
  { bindings, clock }: BindingPorts,
  print: Print,
  signal: AbortSignal,
): Promise<void> {
  const table = new Table(selection, output);
  /** What was printed of each, so that nothing is printed twice. */
  const printed = new Map<string, string>();
  const show = (binding: IrsaBinding) => {
    const key = keyOf(binding.metadata);
    const text = JSON.stringify(dataOf(binding));
    const before = printed.get(key);
    // One that was not ready and now is was waited for.
    if (before === text || (before === undefined && !isSelected(selection, binding))) return;
    if (isSelected(selection, binding)) printed.set(key, text);
    else printed.delete(key);
    if (output === 'json') print(`${text}\n`);
    else if (output === 'yaml') print(`---\n${stringify(dataOf(binding))}`);
    else table.print([binding], clock.now(), print);
  };
  for await (const change of bindings.changes(selection, signal)) {
    if (change.kind === 'all') for (const binding of change.all) show(binding);
    else if (change.kind === 'changed') show(change.binding);
    else if (printed.delete(keyOf(change.binding.metadata))) {
      if (output === 'table' || output === 'wide') table.deleted(change.binding, clock.now(), print);
      else show({ ...change.binding, metadata: { ...change.binding.metadata, deleting: true } });
    }
  }
}

/** Rows under one header. What comes later keeps the columns, as far as it fits them. */
class Table {
  readonly #columns: readonly (keyof Row)[];
  readonly #wide: boolean;
  #widths: readonly number[] | undefined;

  constructor({ namespace }: Selection, output: Output) {
    this.#wide = output === 'wide';
    this.#columns = columnsOf({ wide: this.#wide, allNamespaces: namespace === undefined });
  }

  print(bindings: readonly IrsaBinding[], now: number, print: Print): void {
    this.#rows(
      bindings.map((binding) => rowOf(binding, now, this.#wide)),
      print,
    );
  }

  deleted(binding: IrsaBinding, now: number, print: Print): void {
    this.#rows([{ ...rowOf(binding, now, this.#wide), ready: 'Unknown', reason: 'Deleted', message: 'it was deleted' }], print);
  }

  #rows(rows: readonly Row[], print: Print): void {
    const header = this.#columns.map((column) => column.toUpperCase());
    const cells = rows.map((row) => this.#columns.map((column) => row[column]));
    const lines = this.#widths === undefined ? [header, ...cells] : cells;
    this.#widths ??= widthsOf(lines);
    for (const line of lines) print(`${lineOf(line, this.#widths)}\n`);
  }
}
