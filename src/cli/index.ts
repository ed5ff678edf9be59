import type { Command } from './command.ts';
import { prepare } from './prepare/prepare.ts';
import { prune } from './prune/prune.ts';
import { release } from './release.ts';

/** By the word that a user types. */
export const COMMANDS: Readonly<Record<string, Command>> = { prepare, prune, release };
