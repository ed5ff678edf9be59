import { validationError } from '../aws-error.ts';
import type { Answer } from '../operation.ts';
import { integer, optional, type Params } from '../params.ts';

/** Documented default and maximum of MaxItems, for every list operation of IAM that has it. */
const DEFAULT_ITEMS = 100;
const MAX_ITEMS = 1_000;

/**
 * One page of a sorted list. "IAM might return fewer than the MaxItems number of results, even when there are more" (IAM API reference):
 * every second page is one item short, so that nobody takes a short page for the last. The marker names the last item that was given, so an
 * item that goes or comes between two pages moves no other.
 */
export function page<T>(params: Params, all: readonly T[], nameOf: (item: T) => string): { items: T[]; next: Answer } {
  const wanted = integer(params, 'MaxItems', { min: 1, max: MAX_ITEMS, otherwise: DEFAULT_ITEMS });
  const { number, after } = readMarker(optional(params, 'Marker'));
  const sorted = all.toSorted((a, b) => compare(nameOf(a), nameOf(b)));
  const rest = after === undefined ? sorted : sorted.filter((item) => compare(nameOf(item), after) > 0);
  const size = number % 2 === 1 && wanted > 1 && rest.length > wanted ? wanted - 1 : wanted;
  const items = rest.slice(0, size);
  const last = items.at(-1);
  if (rest.length <= items.length || last === undefined) return { items, next: { IsTruncated: false } };
  return { items, next: { IsTruncated: true, Marker: writeMarker(number + 1, nameOf(last)) } };
}

const compare = (a: string, b: string): number => (a < b ? -1 : a > b ? 1 : 0);

function writeMarker(number: number, after: string): string {
  return Buffer.from(JSON.stringify([number, after])).toString('base64');
}

function readMarker(marker: string | undefined): { number: number; after: string | undefined } {
  if (marker === undefined) return { number: 0, after: undefined };
  try {
    const [number, after] = JSON.parse(Buffer.from(marker, 'base64').toString()) as [unknown, unknown];
    if (typeof number === 'number' && typeof after === 'string') return { number, after };
  } catch {
    // Not one of ours: refused below like any other.
  }
  throw validationError('Invalid Marker.');
}
