/** Longer values are cut in messages: a status has room for sentences, and a foreign document may hold anything. */
const MAX_QUOTED = 160;

/** A value in double quotes, so that a blank can be seen; what does not print as ASCII is escaped. */
export function quote(value: string): string {
  const cut = value.length > MAX_QUOTED ? `${value.slice(0, MAX_QUOTED)}...` : value;
  return JSON.stringify(cut).replace(/[^\x20-\x7e]/g, (character) => `\\u${character.charCodeAt(0).toString(16).padStart(4, '0')}`);
}

/** Several values, each in quotes. */
export function quoteAll(values: readonly string[]): string {
  return list(values.map(quote));
}

/** `a, b and c`; beyond a handful the rest is counted. */
export function list(phrases: readonly string[]): string {
  const shown = phrases.slice(0, MAX_LISTED);
  if (phrases.length > MAX_LISTED) shown.push(`${phrases.length - MAX_LISTED} more`);
  const last = shown.pop() ?? 'nothing';
  return shown.length === 0 ? last : `${shown.join(', ')} and ${last}`;
}

/** More values than this are not read by anybody. */
const MAX_LISTED = 4;
