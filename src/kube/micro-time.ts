/** Go's MicroTime wants exactly six digits after the point; JavaScript knows three. */
export function microTime(epochMs: number): string {
  return new Date(epochMs).toISOString().replace('Z', '000Z');
}
