import type { ParseArgsOptionsConfig } from "node:util";
import type { StatePaths } from "../host/index.ts";
import type { Output } from "./Output.ts";

/** One verb of the command line. */
export interface Command {
  readonly name: string;
  /** What follows the name: `[FILE]`. */
  readonly usage: string;
  /** One line for the list of commands. */
  readonly summary: string;
  /** What `--help` says below the usage; lines of at most 90 characters. */
  readonly help: string;
  /** Every option but `--help` and `--json`, which all have. */
  readonly options: Readonly<Record<string, CommandOption>>;
  /** How many words may follow. */
  readonly words: { readonly least: number; readonly most: number };
  readonly run: (call: Call) => Promise<ExitStatus>;
  /** Instead of all that: the command reads its own words, and its exit code may be any. */
  readonly raw?: (args: readonly string[]) => Promise<number>;
}

export type CommandOption = ParseArgsOptionsConfig[string] & {
  /** Name of the value in the help, for options that take one. */
  readonly value?: string;
  readonly help: string;
};

/** One call of a command. */
export interface Call {
  readonly words: readonly string[];
  /** Whether a boolean option was given. */
  readonly flag: (name: string) => boolean;
  /** The value of an option that takes one. */
  readonly value: (name: string) => string | undefined;
  /** All values of an option that may be given several times. */
  readonly values: (name: string) => readonly string[];
  readonly json: boolean;
  readonly output: Output;
  readonly paths: StatePaths;
}

/** 0: done; 1: the thing asked about is not so; 4: this host cannot. Everything else is thrown. */
export type ExitStatus = 0 | 1 | 4;
