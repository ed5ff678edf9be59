import { isFault } from '../api/fault.ts';

/** Undefined where the API server has no such object. */
export async function unlessMissing<T>(asked: Promise<T>): Promise<T | undefined> {
  try {
    return await asked;
  } catch (error) {
    if (isFault(error, 'notFound')) return undefined;
    throw error;
  }
}
