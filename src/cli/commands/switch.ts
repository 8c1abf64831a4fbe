import { createInterface } from "node:readline/promises";
import { loadDeclaration, switchSystem, type Switched } from "../../host/index.ts";
import type { PlanChange } from "../../plan/index.ts";
import type { Command } from "../Command.ts";
import type { Output } from "../Output.ts";

export const switchCommand: Command = {
  name: "switch",
  usage: "[FILE]",
  summary: "make the declaration what this machine runs from boot, under systemd",
  help: [
    "Writes a numbered generation, says what it changes, switches to it, restarts what it changes",
    "and waits until every bot answers. If one doesn't, what ran before runs again. Changes by which",
    "a bot may do or reach more are marked with !, and asked about. As root.",
  ].join("\n"),
  options: {
    yes: { type: "boolean", help: "don't ask" },
  },
  words: { least: 0, most: 1 },
  run: async ({ words: [file], flag, output, paths, json }) => {
    const loaded = loadDeclaration(file, process.env);
    const done = await switchSystem(loaded, paths, {
      onProgress: output.progress,
      agree: async (changes, first) => {
        for (const change of changes) output.progress(changeLine(change));
        const loosens = !first && changes.some((change) => change.loosens);
        return !loosens || flag("yes") || ask("Go on? [y/N] ");
      },
    });
    report(done, output, json);
    return 0;
  },
};

function report(done: Switched, output: Output, json: boolean): void {
  if (json) {
    output.json(done);
    return;
  }
  output.line(
    done.changed
      ? `generation ${done.generation} is in force`
      : `generation ${done.generation} says the same already; nothing was changed`,
  );
  for (const missing of done.missing) output.line(`this systemd has no ${missing}`);
}

/** A change as people read it: `!` marks what loosens. */
export function changeLine({ text, loosens }: PlanChange): string {
  return `${loosens ? "!" : " "} ${text}`;
}

async function ask(question: string): Promise<boolean> {
  if (!process.stdin.isTTY) return false;
  const lines = createInterface({ input: process.stdin, output: process.stderr });
  try {
    return /^y(es)?$/i.test((await lines.question(question)).trim());
  } finally {
    lines.close();
  }
}
