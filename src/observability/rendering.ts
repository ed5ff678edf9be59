/** Of `Clock` of src/runtime. */
interface RenderClock {
  monotonic(): number;
  giveWay(): Promise<void>;
}

/** Others wait no longer than this for a turn; a single piece takes less. */
const SLICE_MS = 10;
/** What a scrape shows is never older. */
const MAX_AGE_MS = 5_000;
/** A rendering is used for so many times what it took: however often it is asked for, a twentieth of the time goes into it. */
const REUSE = 20;

/**
 * The page of the metrics as bytes, in as many parts as it took slices. Whoever asks while one is rendered, or soon after, gets the same one:
 * the cost does not grow with the number of those who ask.
 */
export function renderings(page: () => Iterable<string | Promise<string>>, clock: RenderClock): () => Promise<readonly Buffer[]> {
  let latest: Promise<readonly Buffer[]> | undefined;
  let usedUntil = 0;

  async function render(): Promise<readonly Buffer[]> {
    const began = clock.monotonic();
    usedUntil = Number.POSITIVE_INFINITY; // one at a time
    try {
      const parts = await inSlices(page(), clock);
      usedUntil = began + Math.min(MAX_AGE_MS, REUSE * (clock.monotonic() - began));
      return parts;
    } catch (error) {
      usedUntil = 0;
      throw error;
    }
  }

  return () => {
    if (latest === undefined || clock.monotonic() >= usedUntil) latest = render();
    return latest;
  };
}

async function inSlices(pieces: Iterable<string | Promise<string>>, clock: RenderClock): Promise<Buffer[]> {
  const parts: Buffer[] = [];
  let text = '';
  let began = clock.monotonic();
  for (const piece of pieces) {
    text += typeof piece === 'string' ? piece : await piece;
    if (clock.monotonic() - began < SLICE_MS) continue;
    parts.push(Buffer.from(text));
    text = '';
    await clock.giveWay();
    began = clock.monotonic();
  }
  parts.push(Buffer.from(text));
  return parts;
}
