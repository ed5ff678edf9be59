import type { ExitCode, Given } from './command.ts';
import type { CommandPorts, Signals } from './ports.ts';

/** What a command found and did, in rows with columns of its own. */
export interface Report<Row extends object = object> {
  /** Of all rows: the issuer that is meant, for example. */
  readonly about: Readonly<Record<string, string>>;
  /** Members of a row, in the order of the table. */
  readonly columns: readonly string[];
  readonly rows: readonly Row[];
  /** One of ours, as it would stand in each role. */
  readonly statements?: readonly Statement[];
  /** The last line, for a person. */
  readonly summary: string;
  readonly exitCode: ExitCode;
}

export interface Statement {
  readonly role: string;
  readonly statement: unknown;
}

/** The body of a command that reports. Throws a `Fault` where it could not look, or was asked for what makes no sense. */
export type Reporter<Row extends object = object> = (given: Given, ports: CommandPorts, signals: Signals) => Promise<Report<Row>>;
