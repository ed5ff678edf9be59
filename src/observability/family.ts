/** One series: the values of the labels, in the order of their names. */
interface Sample {
  readonly labels: readonly string[];
  readonly value: number;
}

/**
 * A gauge with a series for each of many objects, read when it is rendered. It is none of `prom-client`, which renders a metric in one block
 * and keeps each series as an object of its own.
 */
export interface Family {
  readonly name: string;
  readonly help: string;
  readonly type: 'gauge';
  readonly labelNames: readonly string[];
  /** Undefined: a moment in which others may have their turn. */
  samples(): Iterable<Sample | undefined>;
}

/** The text of a family (https://prometheus.io/docs/instrumenting/exposition_formats/). An empty line of it is a pause. */
export function* linesOf({ name, help, type, labelNames, samples }: Family): Generator<string> {
  yield `# HELP ${name} ${help}\n# TYPE ${name} ${type}\n`;
  for (const sample of samples()) {
    if (sample === undefined) {
      yield '';
      continue;
    }
    const labels = labelNames.map((label, at) => `${label}="${escaped(sample.labels[at] ?? '')}"`);
    yield `${name}{${labels.join(',')}} ${sample.value}\n`;
  }
}

function escaped(value: string): string {
  return value.replaceAll('\\', '\\\\').replaceAll('\n', '\\n').replaceAll('"', '\\"');
}
