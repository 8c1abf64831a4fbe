import { run } from "../commands/run.ts";
import { commandHelp } from "../help.ts";
import { makeOutput } from "../Output.ts";

export function runHelp(): number {
  makeOutput(false).line(commandHelp(run));
  return 0;
}
