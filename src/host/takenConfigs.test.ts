import assert from "node:assert/strict";
import { mkdirSync, readdirSync, statSync, utimesSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { test } from "node:test";
import { temporaryFolder } from "../../test/support/temporaryFolder.ts";
import { readPin, renderConfig } from "../openclaw/index.ts";
import { botPlan } from "../openclaw/testing/testBot.ts";
import type { BotGeneration } from "./Generation.ts";
import { INSIDE, SERVICE_INSIDE } from "./inside.ts";
import { noteTaken, wasTaken } from "./takenConfigs.ts";

const pin = readPin("2026.9.6");

function generation(more: Partial<BotGeneration> = {}): BotGeneration {
  return {
    openclaw: { root: "/store/openclaw-a", entry: "/store/openclaw-a/openclaw.mjs" },
    rendered: renderConfig(botPlan({}), INSIDE, pin),
    commands: [],
    cas: {},
    ...more,
  };
}

test("what OpenClaw took once isn't asked about again; whatever else is, is", (t) => {
  const store = temporaryFolder(t);
  assert.equal(wasTaken(store, generation()), false);
  noteTaken(store, generation());
  assert.equal(wasTaken(store, generation()), true);
  assert.equal(wasTaken(temporaryFolder(t), generation()), false);
  const others: Partial<BotGeneration>[] = [
    { openclaw: { root: "/store/openclaw-b", entry: "/store/openclaw-b/openclaw.mjs" } },
    { rendered: renderConfig(botPlan({}), SERVICE_INSIDE, pin) },
    { rendered: renderConfig(botPlan({ commands: ["ls"] }), INSIDE, pin) },
    { shared: true },
  ];
  for (const other of others) assert.equal(wasTaken(store, generation(other)), false);
  assert.equal(statSync(join(store, "taken-configs")).mode & 0o777, 0o700);
});

test("a store that can't be written costs nothing but the asking", (t) => {
  const store = temporaryFolder(t);
  writeFileSync(join(store, "taken-configs"), "");
  noteTaken(store, generation());
  assert.equal(wasTaken(store, generation()), false);
});

test("the oldest verdicts go when there are many", (t) => {
  const store = temporaryFolder(t);
  const folder = join(store, "taken-configs");
  mkdirSync(folder);
  for (let i = 0; i < 250; i++) {
    writeFileSync(join(folder, `old-${i}`), "");
    utimesSync(join(folder, `old-${i}`), 1_000 + i, 1_000 + i);
  }
  noteTaken(store, generation());
  assert.equal(wasTaken(store, generation()), true);
  const left = readdirSync(folder);
  assert.equal(left.length, 200);
  assert.ok(left.includes("old-249") && !left.includes("old-0"));
});
