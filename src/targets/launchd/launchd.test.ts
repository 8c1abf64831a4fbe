import assert from "node:assert/strict";
import { spawnSync } from "node:child_process";
import { readdirSync, readFileSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { test } from "node:test";
import * as fc from "fast-check";
import { compileSeatbelt, WallError, type WallSpec } from "../../wall/index.ts";
import { TargetError } from "../TargetError.ts";
import { launchdTarget, type LaunchdInput } from "./launchdTarget.ts";
import { plist, type PlistValue } from "./plist.ts";

const GOLDEN = join(import.meta.dirname, "../../../test/goldens/launchd/two-bots.txt");
const REWRITE = process.env["SEAWALL_GOLDENS"] === "write" && process.env["CI"] === undefined;

function wall(changes: Partial<WallSpec> = {}): WallSpec {
  const home = "/Users/me/Library/Application Support/seawall";
  return {
    command: [`${home}/node/bin/node`, `${home}/openclaw/start.mjs`],
    cwd: `${home}/bots/a`,
    environment: { OPENCLAW_NO_RESPAWN: "1", GREETING: 'say "hi" & <go>' },
    identity: { uid: 501, gid: 20 },
    hostname: "bot",
    mounts: [
      { kind: "read", from: `${home}/node`, to: `${home}/node` },
      { kind: "read", from: `${home}/openclaw`, to: `${home}/openclaw` },
      { kind: "write", from: `${home}/bots/a`, to: `${home}/bots/a` },
    ],
    network: { tcp: [18700], udp: [], bind: [18789], proxy: 18700 },
    execute: ["/bin/ls"],
    libraries: [`${home}/openclaw/native.node`],
    protect: [
      { path: `${home}/bots/a/keys/own`, access: "hidden" },
      { path: `${home}/bots/a/.envrc`, access: "read-only" },
    ],
    limits: { memory: 3 * 1024 ** 3, openFiles: 4096, processes: 500 },
    processes: "any",
    namespaces: "own",
    concessions: [],
    ...changes,
  };
}

const INPUT: LaunchdInput = {
  bots: { a: { wall: wall() }, b: { wall: wall({ limits: {}, protect: [], processes: "one" }) } },
  paths: {
    target: "/Users/me/Library/Application Support/seawall/launchd",
    logs: "/Users/me/Library/Logs/seawall",
    broker: ["/opt/seawall/bin/seawall", "broker"],
  },
};

test("launchdTarget prints what it did before", () => {
  const files = launchdTarget.render(INPUT);
  const made = files
    .map(
      ({ path, mode, bytes }) =>
        `--- ${path} ${mode.toString(8)}\n${Buffer.from(bytes).toString()}`,
    )
    .join("");
  if (REWRITE) writeFileSync(GOLDEN, made);
  assert.equal(made, readFileSync(GOLDEN, "utf8"));
  assert.deepEqual(readdirSync(join(GOLDEN, "..")), ["two-bots.txt"]);
});

test("launchdTarget prints the same whatever the order of bots", () => {
  const other = { ...INPUT, bots: { b: INPUT.bots["b"], a: INPUT.bots["a"] } } as LaunchdInput;
  assert.deepEqual(launchdTarget.render(other), launchdTarget.render(INPUT));
});

test("launchdTarget refuses a bot whose name would be another path", () => {
  const bots = { "../x": { wall: wall() } };
  assert.throws(() => launchdTarget.render({ ...INPUT, bots }), TargetError);
});

const PYTHON = spawnSync("/usr/bin/python3", ["-c", "import plistlib"]).status === 0;

test(
  "a property list is read back as it was by another parser",
  { skip: PYTHON ? false : "python3 with plistlib is missing" },
  () => {
    // `<integer>` and dict order are all that plistlib could see differently.
    const text = fc.string({ unit: "grapheme" }).filter((each) => {
      try {
        return plist(each) !== "";
      } catch {
        return false;
      }
    });
    const { value } = fc.letrec<{ value: PlistValue }>((tie) => ({
      value: fc.oneof(
        { maxDepth: 3 },
        text,
        fc.boolean(),
        fc.maxSafeInteger(),
        fc.array(tie("value"), { maxLength: 4 }),
        fc.dictionary(text, tie("value"), { maxKeys: 4, noNullPrototype: true }),
      ),
    }));
    const samples = fc.sample(value, { numRuns: 200, seed: 20260921 });
    const script =
      "import sys, json, plistlib; print(json.dumps([plistlib.loads(x.encode()) for x in json.load(sys.stdin)]))";
    const run = spawnSync("/usr/bin/python3", ["-c", script], {
      encoding: "utf8",
      input: JSON.stringify(samples.map(plist)),
    });
    assert.equal(run.status, 0, run.stderr);
    assert.deepEqual(JSON.parse(run.stdout), JSON.parse(JSON.stringify(samples)));
  },
);

test("plist() refuses what XML can't carry", () => {
  for (const text of ["a\0b", "a\u0007", "\r", "\ud800", "\uffff"])
    assert.throws(() => plist(text), TargetError);
  assert.throws(() => plist(1.5), TargetError);
});

/** A reader of the profile's language that knows nothing of how it was written. */
function readProfile(text: string): unknown[] {
  const tokens = text.replaceAll(/^;.*$/gmu, "").match(/\(|\)|"(?:\\.|[^"\\])*"|[^\s()"]+/gu);
  const stack: unknown[][] = [[]];
  for (const token of tokens ?? [])
    if (token === "(") stack.push([]);
    else if (token === ")") {
      const done = stack.pop() ?? [];
      stack.at(-1)?.push(done);
    } else stack.at(-1)?.push(token);
  assert.equal(stack.length, 1, "unbalanced");
  return stack[0] ?? [];
}

test("compileSeatbelt() denies by default, and every path stays one string", () => {
  fc.assert(
    fc.property(
      fc.string({ unit: "grapheme", minLength: 1 }).filter((name) => !/[\p{Cc}/]/u.test(name)),
      (name) => {
        const path = `/Users/me/${name}`;
        const mounts = [{ kind: "write", from: path, to: path }] as const;
        const rules = readProfile(compileSeatbelt(wall({ mounts, protect: [] })));
        assert.deepEqual(rules.slice(0, 2), [
          ["version", "1"],
          ["deny", "default"],
        ]);
        const literal = `"${path.replaceAll("\\", "\\\\").replaceAll('"', '\\"')}"`;
        const writes = rules.filter((rule) => Array.isArray(rule) && rule.includes("file-write*"));
        assert.deepEqual(writes, [["allow", "file-write*", ["subpath", literal]]]);
      },
    ),
    { numRuns: 200, seed: 20260921 },
  );
});

test("compileSeatbelt() lets the network be the proxy's port and its own, on the loopback", () => {
  const network = readProfile(compileSeatbelt(wall()))
    .map((rule) => JSON.stringify(rule))
    .filter((rule) => rule.includes("network"));
  assert.equal(network.length, 3);
  for (const rule of network) assert.match(rule, /localhost:(?:18700|18789)/u);
  assert.ok(
    !compileSeatbelt(wall({ network: { tcp: [443], udp: [53], bind: [] } })).includes("network-"),
  );
});

test("compileSeatbelt() puts what is kept back after what is allowed", () => {
  const profile = compileSeatbelt(wall());
  const own = profile.indexOf("(deny file-read* (subpath");
  assert.ok(own > profile.lastIndexOf("(allow file-read* (subpath"));
  assert.match(profile, /\(deny file-write-unlink \(literal "[^"]*\/bots\/a\/keys"\)\)/u);
});

test("compileSeatbelt() refuses what a profile can't say", () => {
  for (const mounts of [
    [{ kind: "read", from: "/a", to: "/b" }],
    [{ kind: "memory", to: "/tmp", size: 4096 }],
    [{ kind: "file", to: "/etc/motd", text: "" }],
    [{ kind: "read", from: "/a\nb", to: "/a\nb" }],
  ] as const)
    assert.throws(() => compileSeatbelt(wall({ mounts })), WallError);
});
