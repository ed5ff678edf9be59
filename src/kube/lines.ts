/** etcd takes objects of 1.5 MiB; as JSON with managed fields one is never this long. What is longer is not a watch. */
const MAX_LINE_BYTES = 16 * 1024 * 1024;

const NEWLINE = 0x0a;

/**
 * The complete lines of a stream, however it was cut: for each chunk those that it completes. What follows the last newline was cut off and
 * is dropped: it will be sent again.
 */
export async function* linesOf(chunks: AsyncIterable<Uint8Array>, maxBytes = MAX_LINE_BYTES): AsyncIterable<readonly string[]> {
  let pending: Uint8Array[] = [];
  let pendingBytes = 0;
  for await (const chunk of chunks) {
    const end = chunk.lastIndexOf(NEWLINE);
    if (end !== -1) {
      // Decoded only when whole, as a chunk may end within a character; and all at once, as each decoding has its price.
      pending.push(chunk.subarray(0, end));
      yield Buffer.concat(pending).toString('utf8').split('\n');
      pending = [];
      pendingBytes = 0;
    }
    pending.push(chunk.subarray(end + 1));
    pendingBytes += chunk.length - end - 1;
    if (pendingBytes > maxBytes) throw new Error(`a line of the watch has more than ${maxBytes} bytes`);
  }
}
