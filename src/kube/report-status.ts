import type * as z from 'zod';
import { STATUS_FIELD_MANAGER } from '../api/names.ts';
import { mergePatch, type Target } from './apply.ts';
import type { Requests } from './transport.ts';

/**
 * Replaces the whole status. Not an apply: what somebody else put into the status would stay there, and it would never be what was reported. A
 * merge patch removes what is null. Returns the object as it is now. Throws `Fault` and nothing else.
 */
export function reportStatus(
  requests: Requests,
  target: Target,
  schema: z.ZodObject,
  status: object,
  signal: AbortSignal,
): Promise<unknown> {
  const nothing = Object.fromEntries(Object.keys(schema.shape).map((field) => [field, null]));
  const write = { manager: STATUS_FIELD_MANAGER, subresource: 'status' } as const;
  return mergePatch(requests, target, { status: { ...nothing, ...status } }, write, signal);
}
