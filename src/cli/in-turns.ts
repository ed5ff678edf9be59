/** So many are read side by side: the limiter sets the pace of AWS, and the API server has others to serve. */
const AT_ONCE = 8;

/** The results in the order of what they are of. The first failure ends it. `tell` is called after each, with how many are done. */
export async function inTurns<T, R>(
  all: readonly T[],
  work: (one: T) => Promise<R>,
  tell: (done: number, total: number) => void = () => {},
): Promise<R[]> {
  let done = 0;
  const results: R[] = [];
  const queue = [...all.entries()];
  const worker = async () => {
    for (let next = queue.shift(); next !== undefined; next = queue.shift()) {
      results[next[0]] = await work(next[1]);
      tell(++done, all.length);
    }
  };
  await Promise.all(Array.from({ length: AT_ONCE }, worker));
  return results;
}
