import type { Flags } from '../command.ts';
import { COLOR_FLAG } from '../style.ts';

export const EXPLAIN_OUTPUTS = ['table', 'json', 'markdown'] as const;

export const EXPLAIN_FLAGS: Flags = {
  'from-log': { type: 'string', value: 'FILE|-', help: 'find the sentences of AWS in a log, and what may be behind them' },
  ...COLOR_FLAG,
  output: { type: 'string', short: 'o', value: EXPLAIN_OUTPUTS.join('|'), default: 'table', help: 'how the page is written' },
};
