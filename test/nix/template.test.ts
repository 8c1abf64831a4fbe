import assert from "node:assert/strict";
import { execFileSync, spawnSync } from "node:child_process";
import { readdirSync, readFileSync } from "node:fs";
import { join } from "node:path";
import { describe, test } from "node:test";
import { commands } from "../../src/cli/commands/index.ts";
import { parseCall } from "../../src/cli/parseCall.ts";
import { lacking } from "../support/lacking.ts";
import { evaluate, FOLDER, ROOT } from "./evaluate.ts";
import { readTasks, wordsOf } from "../support/justTasks.ts";

/** What `nix flake init -t` gives. */
const TEMPLATE = join(ROOT, "nix/template");
const tasks = readTasks(readFileSync(join(TEMPLATE, "justfile"), "utf8"));

describe("the template's justfile", () => {
  test("has the tasks of a day", () => {
    const wanted = "deploy back status logs restart prove agents new-agent delete-agent sync";
    for (const name of wanted.split(" ")) assert.ok(tasks.has(name), name);
  });

  test("calls nothing of Seawall's that isn't there", async () => {
    const called: string[] = [];
    for (const [name, { parameters, lines }] of tasks) {
      const values = Object.fromEntries(parameters.map((each) => [each, each.toLowerCase()]));
      for (const line of lines) {
        const words = wordsOf(line, { ...values, host: "agents", FLAGS: "" });
        if (words[0] === "sudo") words.shift();
        if (words[0] !== "seawall") continue;
        const [, verb = "", ...rest] = words;
        const command = await commands[verb]?.();
        assert.ok(command !== undefined, `${name}: seawall ${verb}`);
        // Throws for flags that it hasn't, and for words that are too many or too few.
        parseCall(command, rest);
        if (verb === "agent") assert.match(command.usage, new RegExp(`\\b${rest[0]}\\b`), name);
        called.push(words.slice(1).join(" "));
      }
    }
    assert.deepEqual(called, [
      "status",
      "prove",
      "agent list",
      "agent new name",
      "agent delete name",
      "agent sync",
    ]);
  });

  test("names a unit and a journal field that its bot has", () => {
    const { lines: restart = [] } = tasks.get("restart") ?? {};
    const { lines: logs = [] } = tasks.get("logs") ?? {};
    const unit = wordsOf(restart[0] ?? "", { BOT: "clerk" }).at(-1) ?? "";
    const golden = readFileSync(join(ROOT, "test/goldens/nixos/agents.txt"), "utf8");
    assert.ok(golden.includes(`-- units/${unit}.service --\n`), unit);
    const field = wordsOf(logs[0] ?? "", { BOT: "clerk" }).at(-1) ?? "";
    assert.ok(golden.includes(`LogExtraFields=${field}\n`), field);
  });

  test("is what just itself reads in it", (t) => {
    const found = spawnSync("just", ["--version"]).status === 0;
    if (!found) return t.skip("just is missing, which Debian 12 hasn't");
    const names = execFileSync("just", ["--summary"], { cwd: TEMPLATE, encoding: "utf8" });
    assert.deepEqual(names.trim().split(" ").toSorted(), [...tasks.keys()].toSorted());
    const said = spawnSync("just", ["--dry-run", "new-agent", "a b", "--tools", "bot"], {
      cwd: TEMPLATE,
      encoding: "utf8",
    });
    assert.equal(said.stderr.trim(), "sudo seawall agent new 'a b' --tools bot");
  });
});

describe("the template", { skip: lacking("nix-instantiate", ["--version"]) }, () => {
  test("says that it can't know where Seawall is, and names no address that somebody else could take", () => {
    const text = readFileSync(join(TEMPLATE, "flake.nix"), "utf8");
    const { out } = evaluate(`(import ${TEMPLATE}/flake.nix).inputs.seawall.url`);
    assert.equal(JSON.parse(out), "path:/where/you/have/seawall");
    assert.match(text, /# This stands for where you have Seawall from/);
    assert.match(evaluate(`(import ${ROOT}/flake.nix).description`).out, /OpenClaw/);
  });

  test("has a bot whose agents can be made, from folders that are there", () => {
    const machine = `import ${TEMPLATE}/machine.nix`;
    const { ok, out, error } = evaluate(
      `(import ${FOLDER}/evaluate.nix { services.seawall = (${machine}).services.seawall; }).declaration`,
    );
    assert.ok(ok, error);
    const { bots } = JSON.parse(out) as {
      readonly bots: { readonly operator: { readonly agents: Readonly<Record<string, string>> } };
    };
    const { template = "", shared = "" } = bots.operator.agents;
    assert.match(template, /^\/nix\/store\/[a-z0-9]{32}-workspace$/);
    assert.match(shared, /^\/nix\/store\/[a-z0-9]{32}-shared$/);
    assert.deepEqual(readdirSync(join(TEMPLATE, "workspace")), ["AGENTS.md"]);
    assert.deepEqual(readdirSync(join(TEMPLATE, "shared")).toSorted(), ["TOOLS.md", "USER.md"]);
  });
});
