import { expect, test } from 'vitest';
import { parseAuditLog } from './audit.ts';

const event = (auditID: string) => JSON.stringify({ auditID });

const cases: Record<string, { log: string; ids: string[] }> = {
  'an empty log has no events': { log: '', ids: [] },
  'each line is an event, oldest first': { log: `${event('a')}\n${event('b')}\n`, ids: ['a', 'b'] },
  'a line that is being written is not read yet, even if it could be': { log: `${event('a')}\n${event('b')}`, ids: ['a'] },
  'half a line is not read': { log: `${event('a')}\n{"audit`, ids: ['a'] },
};
for (const [sentence, { log, ids }] of Object.entries(cases)) {
  test(sentence, () => expect(parseAuditLog(log).map(({ auditID }) => auditID)).toEqual(ids));
}
