import { until } from '@irsa-operator/testbed';

interface Scraped {
  readonly metricsUrl: string;
}

/** One series of a scrape. */
interface Sample {
  readonly name: string;
  readonly labels: Readonly<Record<string, string>>;
  readonly value: number;
}

/** Made before its time is up, a page shows what was. */
const RENDERED = /^irsa_metrics_rendered_timestamp_seconds (\S+)$/m;
/** The clocks of two processes may differ by so much. */
const CLOCKS_MS = 20;
/** Several times what a page is used for. */
const PATIENCE_MS = 30_000;

/** The page of /metrics, with nothing that is older than this call. */
export async function scrape({ metricsUrl }: Scraped): Promise<string> {
  const asked = Date.now();
  const isOfNow = async () => {
    const text = await (await fetch(`${metricsUrl}/metrics`)).text();
    const rendered = Number(RENDERED.exec(text)?.[1]) * 1_000;
    return rendered >= asked + CLOCKS_MS ? text : undefined;
  };
  return await until('the page of the metrics is of now', isOfNow, { timeoutMs: PATIENCE_MS });
}

export async function samples(of: Scraped): Promise<Sample[]> {
  const text = await scrape(of);
  return text.split('\n').flatMap((line) => {
    const [, name, labels = '', value] = /^([a-z_]+)(?:\{(.*)\})? (\S+)$/i.exec(line) ?? [];
    if (name === undefined) return [];
    return [
      { name, labels: Object.fromEntries([...labels.matchAll(/(\w+)="([^"]*)"/g)].map(([, key, of]) => [key, of])), value: Number(value) },
    ];
  });
}

/** The sum of the series with these labels; 0 if there is none. */
export async function metric(of: Scraped, name: string, labels: Readonly<Record<string, string>> = {}): Promise<number> {
  const wanted = Object.entries(labels);
  return (await samples(of))
    .filter((one) => one.name === name && wanted.every(([key, value]) => one.labels[key] === value))
    .reduce((total, { value }) => total + value, 0);
}
