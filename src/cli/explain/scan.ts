import { cut } from '../../api/cut.ts';
import { timeOf } from '../../domain/check/log.ts';
import { SENTENCES, type Sentence } from './sentences.ts';

/** A sentence as a log has it, again and again. */
export interface Found {
  readonly text: string;
  readonly sentence: Sentence;
  readonly times: number;
  readonly first: At;
  readonly last: At;
}

interface At {
  /** Counted from 1. */
  readonly line: number;
  /** RFC 3339, where the line begins with it. */
  readonly time: string | undefined;
}

export interface Scan {
  readonly lines: number;
  /** In the order in which they appear first. */
  readonly found: readonly Found[];
  /** Sentences beyond the most that are kept. */
  readonly leftOut: number;
}

/** Of a line: what is longer is no sentence of AWS, and a line without an end must not fill the memory. */
const LONGEST_LINE = 64 * 1024;
/** So many different ones are worth reading: an ARN or a URL in each makes them different. */
const MOST_FOUND = 100;
const LONGEST = 300;
/** Every pattern begins near one of these. Most lines have none, and are compared with nothing else. */
const NEAR =
  /authorized to perform|OpenIDConnect provider|token audience|required claim|verification key|identity token|ID Token|IDP[CR]|[Ee]xpired|RegionDisabled|not activated|ARN is invalid|serviceaccount\/token|redential|IMDS role|class path/;

/** Finds the sentences of AWS in a log of any size. Memory is bounded, whatever the log holds. */
export async function scanLog(chunks: AsyncIterable<Uint8Array>): Promise<Scan> {
  const decoder = new TextDecoder();
  const found = new Map<string, Found>();
  const state = { lines: 0, leftOut: 0 };
  const take = (line: string) => {
    state.lines += 1;
    if (!NEAR.test(line)) return;
    const one = sentenceIn(line);
    if (one === undefined) return;
    const at = { line: state.lines, time: timeOf(line) };
    const known = found.get(one.text);
    if (known !== undefined) found.set(one.text, { ...known, times: known.times + 1, last: at });
    else if (found.size < MOST_FOUND) found.set(one.text, { ...one, times: 1, first: at, last: at });
    else state.leftOut += 1;
  };
  let rest = '';
  /** The end of a line that was too long is left out. */
  let skipping = false;
  const eat = (text: string) => {
    const lines = (rest + text).split('\n');
    rest = lines.pop() ?? '';
    for (const line of lines) {
      if (!skipping) take(line);
      skipping = false;
    }
    if (rest.length <= LONGEST_LINE) return;
    if (!skipping) take(rest.slice(0, LONGEST_LINE));
    skipping = true;
    rest = '';
  };
  for await (const chunk of chunks) eat(decoder.decode(chunk, { stream: true }));
  eat(decoder.decode());
  if (rest !== '' && !skipping) take(rest);
  return { lines: state.lines, found: [...found.values()], leftOut: state.leftOut };
}

/** The first that matches, in their order: one line tells of one cause. */
export function sentenceIn(line: string): { readonly text: string; readonly sentence: Sentence } | undefined {
  for (const sentence of SENTENCES) {
    const [text] = sentence.pattern.exec(line) ?? [];
    if (text !== undefined) return { text: cut(text.trim(), LONGEST), sentence };
  }
  return undefined;
}
