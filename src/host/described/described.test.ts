import assert from "node:assert/strict";
import { spawnSync } from "node:child_process";
import {
  existsSync,
  mkdirSync,
  readFileSync,
  readlinkSync,
  statSync,
  symlinkSync,
  writeFileSync,
} from "node:fs";
import { join } from "node:path";
import { test } from "node:test";
import { temporaryFolder } from "../../../test/support/temporaryFolder.ts";
import { catalogue } from "../../catalogue/index.ts";
import { checkShape } from "../../declaration/index.ts";
import { makePlan, type Plan } from "../../plan/index.ts";
import { statePaths } from "../../paths/index.ts";
import { gatewayToken } from "../hostKeys.ts";
import { HostError } from "../HostError.ts";
import { readInterpreter } from "../../wall/index.ts";
import { describedSystem } from "./describedSystem.ts";
import { landlockOf, readMachine } from "./MachineDescription.ts";
import { makePrivate } from "./makePrivate.ts";
import { refuseAutoUpdate } from "./refuseAutoUpdate.ts";

const PROGRAMS = ["node", "launcher", "shell", "ip", "socketProxy", "caddy", "tailscale"];

/** A generation without bots, or with those of the plan, on a machine below `folder`. */
function prepared(
  folder: string,
  tokens: Readonly<Record<string, string>>,
  plan: Plan = { version: 1, secrets: [], bots: [] },
): string {
  const state = join(folder, "state");
  const generation = join(folder, "generation");
  const machine = {
    version: 1,
    nixos: true,
    systemd: 258,
    kernel: "6.12.1",
    architecture: "x86_64",
    paths: {
      generation,
      private: join(state, "private"),
      state,
      runtime: join(folder, "run"),
      vault: { file: "/v", identity: "/i" },
    },
    programs: Object.fromEntries(PROGRAMS.map((name) => [name, `/usr/bin/${name}`])),
    project: "/p",
    cache: "/c",
    openclaw: {},
    commands: {},
    tokens,
    system: [],
  };
  mkdirSync(generation, { recursive: true });
  writeFileSync(join(generation, "machine.json"), JSON.stringify(machine));
  writeFileSync(
    join(generation, "generation.json"),
    JSON.stringify({ number: 0, declaration: "/d/seawall.json5", plan, bots: {} }),
  );
  return generation;
}

test("makePrivate() makes what the machine has of its own, and takes away what a bot had that is gone", async (t) => {
  const folder = temporaryFolder(t);
  const paths = statePaths({ SEAWALL_STATE: join(folder, "seawall") }, 0);
  const generation = prepared(folder, {});
  const place = join(folder, "state/private");
  mkdirSync(join(place, "gone"), { recursive: true });
  writeFileSync(join(place, "gone/gateway.env"), "ANTHROPIC_API_KEY=phantom\n");
  await makePrivate(generation, paths);
  assert.match(readFileSync(join(place, "trust.pem"), "utf8"), /BEGIN CERTIFICATE/);
  assert.equal(existsSync(join(place, "gone")), false);
  const before = statSync(join(place, "trust.pem"), { bigint: true });
  await makePrivate(generation, paths);
  assert.equal(statSync(join(place, "trust.pem"), { bigint: true }).ino, before.ino);
});

test("a machine that gets its files from elsewhere doesn't move by itself", () => {
  const { declaration } = checkShape({
    seawall: 1,
    bots: { one: { openclaw: "2026.9.6", model: "ollama/one", grants: { ollama: {} } } },
    autoUpdate: { calendar: "weekly" },
  });
  assert.ok(declaration !== undefined);
  const { plan } = makePlan(declaration, { catalogue, versions: ["2026.9.6"] });
  assert.ok(plan !== undefined);
  assert.throws(() => refuseAutoUpdate(plan), {
    code: "cannot-serve",
    message: /^autoUpdate moves/,
  });
  const { autoUpdate: _none, ...others } = plan;
  refuseAutoUpdate(others);
});

test("makePrivate() links a bot's token to where it is wanted, and takes over one that lies there", async (t) => {
  const folder = temporaryFolder(t);
  const paths = statePaths({ SEAWALL_STATE: join(folder, "seawall") }, 0);
  const [fresh, old] = [join(folder, "a/token"), join(folder, "b/token")];
  mkdirSync(join(folder, "b"));
  const known = "0123456789abcdef".repeat(4);
  writeFileSync(old, `${known}\n`, { mode: 0o600 });
  const generation = prepared(folder, { one: fresh, two: old });
  await makePrivate(generation, paths);
  assert.equal(gatewayToken(paths, "two"), known);
  assert.equal(readFileSync(old, "utf8").trim(), known);
  const made = gatewayToken(paths, "one");
  assert.equal(readFileSync(fresh, "utf8").trim(), made);
  assert.equal(readlinkSync(fresh), join(paths.tokens, "one"));
  await makePrivate(generation, paths);
  assert.equal(gatewayToken(paths, "one"), made);
});

test("makePrivate() refuses a token of another form, without saying it, and leaves it there", async (t) => {
  const folder = temporaryFolder(t);
  const paths = statePaths({ SEAWALL_STATE: join(folder, "seawall") }, 0);
  const file = join(folder, "token");
  writeFileSync(file, "hunter2\n");
  await assert.rejects(
    makePrivate(prepared(folder, { one: file }), paths),
    (error) =>
      error instanceof HostError &&
      error.code === "damaged-state" &&
      !/hunter2/.test(error.message),
  );
  assert.equal(readFileSync(file, "utf8"), "hunter2\n");
});

test("readMachine() refuses what describes no machine, and paths that would mean something in a unit", (t) => {
  const folder = temporaryFolder(t);
  const file = join(folder, "machine.json");
  const good = readFileSync(join(prepared(folder, {}), "machine.json"), "utf8");
  const refused = (text: string): void => {
    writeFileSync(file, text);
    assert.throws(
      () => readMachine(file),
      (error) => error instanceof HostError && error.code === "unreadable-file",
      text.slice(0, 40),
    );
  };
  writeFileSync(file, good);
  assert.equal(readMachine(file).systemd, 258);
  refused("");
  refused("{}");
  refused(good.replace('"/usr/bin/ip"', '"/usr/bin/ip\\nExecStartPost=/bin/sh"'));
  refused(good.replace('"/usr/bin/ip"', '"/usr/bin/%h"'));
  refused(good.replace('"systemd":258', '"systemd":240'));
  refused(good.replace('"version":1', '"version":1,"more":1'));
  const withRegistry = (url: string): string =>
    good.replace('"version":1', `"version":1,"registry":${JSON.stringify(url)}`);
  writeFileSync(file, withRegistry("https://npm.example.com:8443/all/"));
  assert.equal(readMachine(file).registry, "https://npm.example.com:8443/all/");
  for (const url of ["http://a.example/", "https://me:hunter2@a.example/", "https://a.example/?x"])
    refused(withRegistry(url));
});

test("describedSystem() names the loaders that the machine's programs are started by", (t) => {
  const folder = temporaryFolder(t);
  const machine = readMachine(join(prepared(folder, {}), "machine.json"));
  const known = (programs: object, commands: Record<string, string[]> = {}): readonly string[] =>
    describedSystem({ ...machine, programs: { ...machine.programs, ...programs }, commands }).host
      .loaders;
  const loader = readInterpreter(process.execPath);
  assert.ok(loader !== undefined);
  assert.deepEqual(known({ node: process.execPath }), [loader]);
  mkdirSync(join(folder, "bin"));
  symlinkSync(process.execPath, join(folder, "bin/granted"));
  assert.deepEqual(known({ node: "/nonexistent/node" }, { one: [join(folder, "bin")] }), [loader]);
  // Control: of programs that aren't there nothing is known.
  assert.deepEqual(known({ node: "/nonexistent/node" }), []);
});

test("landlockOf() knows which Linux brought which ABI", () => {
  const abis = [
    "5.10.1",
    "5.13.0",
    "6.1.90",
    "6.2.0",
    "6.8.1",
    "6.10",
    "6.12.63",
    "6.18.37",
    "7.0",
  ];
  assert.deepEqual(abis.map(landlockOf), [0, 1, 2, 3, 4, 5, 6, 6, 6]);
});

test(
  "its service has the rights it needs, at the first start and at the next",
  { skip: process.getuid?.() === 0 ? false : "needs root" },
  (t) => {
    const folder = temporaryFolder(t);
    const { declaration } = checkShape({
      seawall: 1,
      bots: {
        one: {
          openclaw: "2026.9.6",
          model: "ollama/one",
          grants: { ollama: {} },
          agents: { repositories: { path: "/srv/git" } },
        },
      },
    });
    assert.ok(declaration !== undefined);
    const { plan } = makePlan(declaration, { catalogue, versions: ["2026.9.6"] });
    const generation = prepared(folder, {}, plan);
    const passwd = join(folder, "passwd");
    writeFileSync(
      passwd,
      "root:x:0:0:root:/root:/bin/sh\nseawall-one:x:901:901:Seawall bot one:/:/bin/false\nseawall_one:x:902:902:Seawall broker of one:/:/bin/false\n",
    );
    const module = readFileSync(
      join(import.meta.dirname, "../../../nix/modules/seawall.nix"),
      "utf8",
    );
    const rights = (/CapabilityBoundingSet = "([A-Z_ ]+)"/.exec(module)?.[1] ?? "").toLowerCase();
    const start = (caps: string): ReturnType<typeof spawnSync> => {
      const bounding = caps
        .split(" ")
        .filter((cap) => cap !== "")
        .map((cap) => `,+${cap.replace(/^cap_/, "")}`)
        .join("");
      return spawnSync(
        "unshare",
        [
          "--mount",
          "sh",
          "-euc",
          `mount --bind ${passwd} /etc/passwd; exec setpriv --bounding-set=-all${bounding} ${process.execPath} ${join(import.meta.dirname, "main.ts")} ${generation}`,
        ],
        {
          encoding: "utf8",
          env: { PATH: "/usr/sbin:/usr/bin:/bin", SEAWALL_STATE: join(folder, "s") },
        },
      );
    };
    // Where the bot finds its agents, which are nobody's but the machine's.
    const live = join(folder, "state/agents/one/live");
    for (const found of ["{}\n", '{ "agents": {} }\n']) {
      const { status, stderr } = start(rights);
      assert.equal(status, 0, String(stderr));
      assert.equal(readFileSync(join(live, "agents.json"), "utf8"), found);
      writeFileSync(join(live, "agents.json"), '{ "agents": {} }\n');
    }
    assert.equal(statSync(join(live, "skills")).mode & 0o777, 0o755);
    const broker = join(folder, "state/private/one/broker.json");
    const { uid, mode } = statSync(broker);
    assert.deepEqual([uid, mode & 0o777], [902, 0o400]);
    assert.equal(statSync(join(folder, "state/private/one/gateway.env")).uid, 0);
    // Control: without them it says that it can't.
    assert.notEqual(start("").status, 0);
  },
);
