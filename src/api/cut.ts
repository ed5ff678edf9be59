/**
 * At most `max` characters, for a field that has a limit. Half a character (a lone surrogate, from a cut or from somebody's document) would
 * come back from the API server as another one, and the status never be what was written.
 */
export function cut(text: string, max: number): string {
  return (text.length <= max ? text : `${text.slice(0, max - 1)}…`).toWellFormed();
}

/** The beginning of a text of which no more is kept, with its length: `beginning…1234`. No right value has the sign. */
export const keptOf = (text: string, max: number): string => (text.length <= max ? text : `${cut(text, max)}${text.length}`);

/** How long a text was before it was kept, in characters as IAM, Kubernetes and CEL count them. */
export function lengthOf(kept: string): number {
  const length = /…([0-9]+)$/.exec(kept)?.[1];
  return length === undefined ? [...kept].length : Number(length);
}
