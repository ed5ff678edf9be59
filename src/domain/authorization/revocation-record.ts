import * as z from 'zod';
import { parseRoleArn } from '../../api/arn.ts';
import { isProblem } from '../../api/problem.ts';
import { serviceAccountIn } from '../../api/subject.ts';
import { LOSS_CAUSES, type Loss } from './loss.ts';

/** A ConfigMap takes 1 MiB; this leaves room for what else is in the object. */
const MOST_BYTES = 900_000;

const time = z.int().nonnegative();
const lossSchema = z.object({
  role: z.string(),
  subject: z.string(),
  audience: z.string(),
  since: time,
  cause: z.enum(LOSS_CAUSES),
  by: z.array(z.object({ uid: z.string(), generation: z.int() })),
  definition: z.string(),
  revokedAt: time.optional(),
  returns: z.int().nonnegative(),
});

/**
 * The losses as text, and those for which there is no room: they are not acted on. Namespaces take turns, so that one with a thousand losses
 * leaves room for the one of another.
 */
export function writeRecord(losses: readonly Loss[], mostBytes = MOST_BYTES): { readonly text: string; readonly kept: readonly Loss[] } {
  const taken = new Map<string | undefined, number>();
  const ranked = losses
    .toSorted((a, b) => a.since - b.since)
    .map((loss) => {
      const namespace = serviceAccountIn(loss.subject)?.namespace;
      const rank = taken.get(namespace) ?? 0;
      taken.set(namespace, rank + 1);
      return { loss, rank };
    });
  const kept: Loss[] = [];
  const lines: string[] = [];
  let bytes = 2;
  for (const { loss } of ranked.toSorted((a, b) => a.rank - b.rank)) {
    const line = JSON.stringify(loss);
    bytes += Buffer.byteLength(line) + 2;
    if (bytes > mostBytes) break;
    kept.push(loss);
    lines.push(line);
  }
  return { text: `[${lines.join(',\n')}]`, kept };
}

/** Undefined where it is no record. Entries that do not parse are left out: what they were is found anew, and waits anew. */
export function readRecord(text: string): readonly Loss[] | undefined {
  let raw: unknown;
  try {
    raw = JSON.parse(text);
  } catch {
    return undefined;
  }
  if (!Array.isArray(raw)) return undefined;
  return raw.flatMap((one): Loss[] => {
    const parsed = lossSchema.safeParse(one);
    if (!parsed.success) return [];
    const role = parseRoleArn(parsed.data.role);
    return isProblem(role) ? [] : [{ ...parsed.data, role, revokedAt: parsed.data.revokedAt }];
  });
}
