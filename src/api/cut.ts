/**
 * At most `max` characters, for a field that has a limit. Half a character (a lone surrogate, from a cut or from somebody's document) would
 * come back from the API server as another one, and the status never be what was written.
 */
export function cut(text: string, max: number): string {
  return (text.length <= max ? text : `${text.slice(0, max - 1)}…`).toWellFormed();
}
