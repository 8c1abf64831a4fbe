import assert from "node:assert/strict";
import { test } from "node:test";
import * as fc from "fast-check";
import { readProfile } from "../testing/readProfile.ts";
import { WallError } from "../WallError.ts";
import type { WallSpec } from "../WallSpec.ts";
import { compileSeatbelt } from "./compileSeatbelt.ts";

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
    network: { tcp: [], udp: [], bind: [18789], outside: 18700 },
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

test("compileSeatbelt() lets a process of ours dial out, and bind what is named", () => {
  const profile = compileSeatbelt(
    wall({ namespaces: "host", processes: "one", network: { tcp: [], udp: [], bind: [18789] } }),
  );
  assert.match(profile, /\(allow network-outbound \(remote ip "\*:\*"\)\)/u);
  assert.match(profile, /\(allow network-bind \(local tcp "localhost:18789"\)\)/u);
  assert.ok(profile.lastIndexOf("(deny process-fork)") > profile.indexOf("(allow process-fork)"));
});

test("compileSeatbelt() shows no process's arguments or environment", () => {
  // kern.procargs2 has both of whatever else the same user runs (sysctl(3)).
  const asked = readProfile(compileSeatbelt(wall())).filter((rule) => rule.includes("sysctl-read"));
  assert.ok(asked.length > 20);
  for (const rule of asked) {
    const [, , filter] = rule;
    assert.match(JSON.stringify(filter), /^\["sysctl-name(?:-prefix)?",/u);
    assert.doesNotMatch(JSON.stringify(filter), /procargs|kern\.proc|"\\"kern\."/u);
  }
});
