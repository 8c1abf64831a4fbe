import assert from "node:assert/strict";
import { test } from "node:test";
import { botPlan } from "../../openclaw/testing/testBot.ts";
import { readLsof } from "./listenerByLsof.ts";
import { requireMac } from "./requireMac.ts";

const mac = { platform: "darwin", uid: 501 } as const;

test("requireMac() names all that macOS can't have, at once", () => {
  const bot = botPlan({
    name: "one",
    resources: { memory: 3 * 1024 ** 3, processes: 500, cpu: 2, openFiles: 4096, fileSize: 4096 },
    openclaw: { ...botPlan({}).openclaw, agents: true },
  });
  assert.throws(() => requireMac({ bots: [botPlan({}), bot] }, mac), {
    code: "not-on-macos",
    exitCode: 4,
    message:
      'macOS can\'t have: limit "memory" of bot "one"; limit "processes" of bot "one"; limit "cpu" of bot "one"; "agents" of bot "one"',
  });
  requireMac({ bots: [botPlan({ resources: { openFiles: 4096, fileSize: 4096 } })] }, mac);
  requireMac({ bots: [bot] }, { platform: "linux", uid: 0 });
});

test("requireMac() has no root run bots", () => {
  assert.throws(() => requireMac({ bots: [] }, { ...mac, uid: 0 }), { code: "not-on-macos" });
});

test("readLsof() takes an owner only where there is one", () => {
  assert.equal(readLsof("p512\nu501\nf23\n"), 501);
  assert.equal(readLsof("p512\nu501\nf23\np513\nu501\nf3\n"), 501);
  assert.equal(readLsof("p512\nu501\nf23\np513\nu0\nf3\n"), undefined);
  for (const nothing of ["", "p512\n", "u\n", "u-1\n", "xu501\n"])
    assert.equal(readLsof(nothing), undefined);
});
