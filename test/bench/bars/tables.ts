import type { CallFrame, Original } from './originals.ts';

/** Of `--cpu-prof`: microseconds. */
export interface CpuProfile {
  readonly nodes: readonly { readonly id: number; readonly callFrame: CallFrame; readonly children?: readonly number[] }[];
  readonly samples: readonly number[];
  readonly timeDeltas: readonly number[];
}

/** Of `--heap-prof`: bytes that are still reachable, by who allocated them. */
export interface HeapProfile {
  readonly head: HeapNode;
}
interface HeapNode {
  readonly callFrame: CallFrame;
  readonly selfSize: number;
  readonly children: readonly HeapNode[];
}

type Find = (frame: CallFrame) => Original;

const FUNCTIONS = 25;
const FILES = 20;
const NODE = '(Node itself)';
const NOT_AT_WORK: readonly string[] = ['(idle)', '(root)'];

/** The functions with the most time of their own, and the time by the file of ours that asked for it. */
export function cpuTables(profile: CpuProfile, find: Find, bindings: number): string {
  const self = new Map<number, number>();
  for (const [at, id] of profile.samples.entries()) self.set(id, (self.get(id) ?? 0) + (profile.timeDeltas[at] ?? 0) / 1_000);
  const nodes = new Map(profile.nodes.map((node) => [node.id, node]));
  const byFunction = new Map<string, number>();
  const byAsker = new Map<string, number>();
  let busyMs = 0;
  const walk = (id: number, asker: string): void => {
    const node = nodes.get(id);
    if (node === undefined) return;
    const of = find(node.callFrame);
    const by = askerOf(of, asker);
    const ms = self.get(id) ?? 0;
    if (!NOT_AT_WORK.includes(of.file)) {
      busyMs += ms;
      add(byFunction, whole(of), ms);
      add(byAsker, of.file === '(garbage collector)' ? of.file : by, ms);
    }
    for (const child of node.children ?? []) walk(child, by);
  };
  walk(profile.nodes[0]?.id ?? 0, NODE);
  const row = (ms: number) =>
    `${ms.toFixed(0).padStart(8)} ms ${((100 * ms) / busyMs).toFixed(1).padStart(5)} % ${((1_000 * ms) / bindings).toFixed(0).padStart(6)} µs`;
  const byFile = new Map<string, number>();
  const byFolder = new Map<string, number>();
  for (const [by, ms] of byAsker) {
    const file = by.replace(/:\d+ .*/, '');
    add(byFile, file, ms);
    add(byFolder, file.replace(/^(src\/.*)\/[^/]+$/, '$1'), ms);
  }
  return [
    // What a system call wakes may have the core at once: the profiler counts that too, the process does not.
    `\nthe main thread was not idle for ${busyMs.toFixed(0)} ms by the clock; each line: time, part of it, for a binding`,
    table('By function, its own time', byFunction, FUNCTIONS, row),
    table(
      'By the innermost function of ours: with what packages and Node do for it; a package where there is none',
      byAsker,
      FUNCTIONS,
      row,
    ),
    table('The same, by file', byFile, FILES, row),
    table('The same, by folder', byFolder, FILES, row),
  ].join('\n');
}

/** Who allocated what is left at the end. */
export function heapTable({ head }: HeapProfile, find: Find): string {
  const byAsker = new Map<string, number>();
  let bytes = 0;
  const walk = ({ callFrame, selfSize, children }: HeapNode, asker: string): void => {
    const of = find(callFrame);
    const by = askerOf(of, asker);
    bytes += selfSize;
    add(byAsker, by, selfSize);
    for (const child of children) walk(child, by);
  };
  walk(head, NODE);
  const row = (size: number) => `${(size / 2 ** 20).toFixed(2).padStart(8)} MiB ${((100 * size) / bytes).toFixed(1).padStart(5)} %`;
  return table(`Heap at the end (${(bytes / 2 ** 20).toFixed(0)} MiB), by the innermost function of ours`, byAsker, FUNCTIONS, row);
}

/** The innermost function of ours; where there is none, as in what a socket wakes, the package. */
function askerOf(of: Original, above: string): string {
  if (of.file.startsWith('src/')) return whole(of);
  return above === NODE && isPackage(of) ? of.file : above;
}

const isPackage = ({ file, line }: Original): boolean => line > 0 && !/^(node:|dist\/)/.test(file);
const whole = ({ file, name, line }: Original): string => [line === 0 ? file : `${file}:${line}`, name].filter(Boolean).join(' ');

function add(to: Map<string, number>, key: string, value: number): void {
  to.set(key, (to.get(key) ?? 0) + value);
}

function table(title: string, values: ReadonlyMap<string, number>, most: number, row: (value: number) => string): string {
  const lines = [...values]
    .toSorted(([, a], [, b]) => b - a)
    .slice(0, most)
    .map(([what, value]) => `${row(value)}  ${what}`);
  return `\n${title}\n${lines.join('\n')}`;
}
