/** What is wrong with an input, as a sentence that quotes the value. Parsers return it instead of throwing. */
export interface Problem {
  readonly problem: string;
}

export const problem = (text: string): Problem => ({ problem: text });

export function isProblem(value: unknown): value is Problem {
  return typeof value === 'object' && value !== null && 'problem' in value;
}
