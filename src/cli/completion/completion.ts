import type { Call } from '../command.ts';
import { SHELLS } from './complete.ts';
import { SCRIPTS } from './scripts.ts';

/** Prints what a shell sources. */
export async function completion({ operands, misused }: Call): Promise<number> {
  const shell = SHELLS.find((one) => one === operands[0]);
  if (shell === undefined || operands.length > 1) return misused(`"${operands.join(' ')}": wanted is one of ${SHELLS.join(', ')}`);
  process.stdout.write(SCRIPTS[shell]);
  return 0;
}
