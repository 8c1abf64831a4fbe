import { loadDeclaration, portableInput } from "../../host/index.ts";
import { systemdTarget, writeTarget, type TargetFile } from "../../targets/index.ts";
import type { Plan } from "../../plan/index.ts";
import type { Command } from "../Command.ts";
import { UsageError } from "../UsageError.ts";

interface BuildTarget {
  readonly name: string;
  readonly summary: string;
  readonly render: (plan: Plan) => readonly TargetFile[];
}

/** One line for each target. */
const TARGETS: readonly BuildTarget[] = [
  { ...systemdTarget, render: (plan) => systemdTarget.render(portableInput(plan)) },
];

export const build: Command = {
  name: "build",
  usage: "--target NAME --out DIR [FILE]",
  summary: "write the files of a target, to look at or to take elsewhere",
  help: [
    "Prints for a usual machine, so the same declaration gives the same bytes anywhere. Targets:",
    ...TARGETS.map(({ name, summary }) => `  ${name.padEnd(14)}${summary}`),
    "",
    "DIR must not exist yet; it appears whole or not at all.",
  ].join("\n"),
  options: {
    target: { type: "string", value: "NAME", help: "what to write" },
    out: { type: "string", value: "DIR", help: "where to" },
  },
  words: { least: 0, most: 1 },
  run: async ({ words: [file], value, output, json }) => {
    const name = value("target");
    const target = TARGETS.find((each) => each.name === name);
    if (target === undefined) {
      const names = TARGETS.map((each) => each.name).join(", ");
      throw new UsageError(
        name === undefined ? "--target is missing" : `there is no target "${name.slice(0, 40)}"`,
        `targets are: ${names}`,
      );
    }
    const out = value("out");
    if (out === undefined || out === "")
      throw new UsageError("--out is missing", "name a folder that doesn't exist yet");
    const files = target.render(loadDeclaration(file, process.env).plan);
    writeTarget(files, out);
    if (json) output.json({ target: target.name, files: files.map(({ path }) => path) });
    else output.line(`${files.length} files for ${target.name} are in ${out}`);
    return 0;
  },
};
