import { homedir } from "node:os";
import { join, resolve } from "node:path";
import {
  loadDeclaration,
  portableInput,
  PROJECT,
  readMachine,
  renderDescribed,
  type LoadedDeclaration,
} from "../../host/index.ts";
import {
  launchdTarget,
  nixModule,
  systemdTarget,
  writeTarget,
  type TargetFile,
} from "../../targets/index.ts";
import type { Command } from "../Command.ts";
import { UsageError } from "../UsageError.ts";

interface BuildTarget {
  readonly name: string;
  readonly summary: string;
  readonly render: (loaded: LoadedDeclaration) => readonly TargetFile[];
}

/** One line for each target. */
const TARGETS: readonly BuildTarget[] = [
  { ...systemdTarget, render: ({ plan }) => systemdTarget.render(portableInput(plan)) },
  {
    ...launchdTarget,
    render: ({ file }) =>
      launchdTarget.render({
        seawall: join(PROJECT, "bin/seawall"),
        declaration: resolve(file),
        log: join(homedir(), "Library/Logs/seawall.log"),
      }),
  },
  {
    name: "nixos",
    summary: "the declaration as a module of NixOS, beside Seawall's own",
    render: ({ declaration }) => nixModule(declaration),
  },
];

export const build: Command = {
  name: "build",
  usage: "--target NAME --out DIR [FILE]",
  summary: "write the files of a target, to look at or to take elsewhere",
  help: [
    "Prints for a usual machine, so the same declaration gives the same bytes anywhere; with --machine",
    "for the one that FILE describes, as the NixOS module does in its build, and only what OpenClaw",
    "itself takes. Targets:",
    ...TARGETS.map(({ name, summary }) => `  ${name.padEnd(14)}${summary}`),
    "",
    "DIR must not exist yet; it appears whole or not at all.",
  ].join("\n"),
  options: {
    target: { type: "string", value: "NAME", help: "what to write" },
    out: { type: "string", value: "DIR", help: "where to" },
    machine: { type: "string", value: "FILE", help: "for systemd: the machine it is for" },
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
    const machine = value("machine");
    if (machine !== undefined && target.name !== "systemd")
      throw new UsageError("--machine goes with --target systemd only", "leave it out");
    const loaded = loadDeclaration(file, process.env);
    const files =
      machine === undefined
        ? target.render(loaded)
        : await renderDescribed(loaded, readMachine(machine), output.progress);
    writeTarget(files, out);
    if (json) output.json({ target: target.name, files: files.map(({ path }) => path) });
    else output.line(`${files.length} files for ${target.name} are in ${out}`);
    return 0;
  },
};
