import { readFileSync } from "node:fs";
import { Failure } from "./Failure.ts";
import type { MigrationJob, MigrationMessage, Replacement } from "./Job.ts";
import { readInstallation } from "./readInstallation.ts";
import { filesWith, replaceIn, restore, save, type Pair } from "./replaceValues.ts";

// Runs inside a wall that has the installation and nothing else.
const job = JSON.parse(readFileSync(process.argv[2] ?? "", "utf8")) as MigrationJob;
try {
  run(job);
  send({ type: "done" });
} catch (error) {
  const { code, place } =
    error instanceof Failure ? error : { code: "disk" as const, place: "the installation" };
  send({ type: "failed", code, place });
}

function run(task: MigrationJob): void {
  const { folder } = task;
  switch (task.verb) {
    case "read": {
      const { config, credentials, left } = readInstallation(folder);
      send({ type: "config", value: config });
      for (const credential of credentials) send({ type: "credential", credential });
      for (const each of left) send({ type: "left", ...each });
      return;
    }
    case "collect": {
      for (const path of filesWith(folder, pairsOf(folder, task.replacements)))
        for (const file of save(folder, path)) send({ type: "file", file });
      return;
    }
    case "replace": {
      const pairs = pairsOf(folder, task.replacements);
      for (const path of filesWith(folder, pairs)) {
        replaceIn(folder, path, pairs);
        send({ type: "changed", path });
      }
      return;
    }
    case "restore":
      // What wasn't there first: on a full disk that is the room for the others.
      for (const file of task.files.filter(({ bytes }) => bytes === undefined))
        restore(folder, file);
      for (const file of task.files.filter(({ bytes }) => bytes !== undefined))
        restore(folder, file);
      return;
    default:
      task satisfies never;
  }
}

/** The values are read where they stand: nobody has to hand them in. Longest first, as one may hold another. */
function pairsOf(folder: string, replacements: readonly Replacement[]): Pair[] {
  const { credentials } = readInstallation(folder);
  return replacements
    .map(({ place, phantom }) => {
      const value = credentials.find((credential) => credential.place === place)?.value;
      if (value === undefined) throw new Failure("changed", place);
      return { value, phantom };
    })
    .toSorted((a, b) => b.value.length - a.value.length);
}

function send(message: MigrationMessage): void {
  process.stdout.write(`${JSON.stringify(message)}\n`);
}
