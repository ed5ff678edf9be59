/** A word that a shell takes as it is. */
export const word = (text: string): string => (/^[\w@%+=:,./-]+$/.test(text) ? text : `'${text.replaceAll("'", `'\\''`)}'`);
export const line = (...words: readonly string[]): string => words.map(word).join(' ');
