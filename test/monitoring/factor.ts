/** So much faster passes the time of an operator that has `fast-time.ts`. */
export const FACTOR = 20;
