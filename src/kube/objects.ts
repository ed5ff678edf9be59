/** A JSON object of Kubernetes as it comes: fields may be missing, and others be there that nobody here has heard of. */
export type Json = null | boolean | number | string | readonly Json[] | { readonly [name: string]: Json | undefined };
export type JsonObject = { readonly [name: string]: Json | undefined };

export interface Meta {
  readonly name: string;
  readonly namespace: string;
  readonly uid: string;
  readonly resourceVersion: string;
  readonly generation: number;
  /** Epoch milliseconds. */
  readonly createdAt: number;
  readonly deleting: boolean;
  readonly labels: JsonObject;
  readonly annotations: JsonObject;
}

export function object(value: unknown): JsonObject {
  return typeof value === 'object' && value !== null && !Array.isArray(value) ? (value as JsonObject) : {};
}

export function array(value: unknown): readonly Json[] {
  return Array.isArray(value) ? value : [];
}

export function text(value: unknown): string | undefined {
  return typeof value === 'string' ? value : undefined;
}

/** The metadata of an object; what is missing is empty, as in Go. */
export function metaOf(raw: unknown): Meta {
  const meta = object(object(raw)['metadata']);
  const generation = meta['generation'];
  return {
    name: text(meta['name']) ?? '',
    namespace: text(meta['namespace']) ?? '',
    uid: text(meta['uid']) ?? '',
    resourceVersion: text(meta['resourceVersion']) ?? '',
    generation: typeof generation === 'number' ? generation : 0,
    createdAt: timeOf(meta['creationTimestamp']) ?? 0,
    deleting: text(meta['deletionTimestamp']) !== undefined,
    labels: object(meta['labels']),
    annotations: object(meta['annotations']),
  };
}

/** Epoch milliseconds of an RFC 3339 time. */
export function timeOf(value: unknown): number | undefined {
  const time = Date.parse(text(value) ?? '');
  return Number.isNaN(time) ? undefined : time;
}

/** The string values among the members. */
export function strings(members: JsonObject): Record<string, string> {
  const found: Record<string, string> = {};
  for (const [key, value] of Object.entries(members)) if (typeof value === 'string') found[key] = value;
  return found;
}
