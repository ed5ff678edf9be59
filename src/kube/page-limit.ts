/** What a page is to have: parsed it takes ten times as much, and 5 ms. */
const PAGE_BYTES = 2 ** 20;
/** What is larger is not read to its end, but asked for again with fewer objects: so many objects were small before, and so many were not now. */
export const MAX_PAGE_BYTES = 2 * PAGE_BYTES;

/** How many objects to ask for at once. The API knows a limit by number only, and tenants choose how large an object is. */
export class PageLimit {
  #limit = Number.POSITIVE_INFINITY;

  atMost(most: number): number {
    return Math.min(most, this.#limit);
  }

  /** The page had so many bytes: of such objects the next one has as many as fit, and twice as many as this one at most. */
  fitted(asked: number, objects: number, bytes: number): void {
    const fit = objects === 0 ? asked : Math.floor((PAGE_BYTES * objects) / bytes);
    this.#limit = Math.max(1, Math.min(fit, 2 * asked));
  }

  tooLarge(asked: number): void {
    this.#limit = Math.max(1, Math.floor(asked / 4));
  }
}
