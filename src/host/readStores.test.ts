import assert from "node:assert/strict";
import { generateKeyPairSync } from "node:crypto";
import { mkdirSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { test } from "node:test";
import { temporaryFolder } from "../../test/support/temporaryFolder.ts";
import { statePaths } from "../paths/index.ts";
import { probeSubject } from "../wall/testing/harness.ts";
import { LAUNCHER } from "../wall/testing/reachable.ts";
import { readStores, type StoreContext } from "./readStores.ts";

const capabilities = await probeSubject();

test("readStores() reads nothing on a kernel without Landlock, unless that is conceded", async (t) => {
  const folder = temporaryFolder(t);
  const paths = statePaths({ SEAWALL_STATE: folder, SEAWALL_STORE: join(folder, "store") }, 0);
  mkdirSync(join(paths.store, "broker-cache"), { recursive: true });
  const file = join(folder, "secret");
  writeFileSync(file, "a-real-secret-value\n", { mode: 0o600 });
  const source = { store: "file", path: file } as const;
  const { publicKey } = generateKeyPairSync("x25519");
  const key = publicKey.export({ type: "spki", format: "der" }).toString("base64");
  const context: StoreContext = {
    programs: { node: process.execPath, launcher: LAUNCHER, shell: "/bin/sh" },
    paths,
    // As on such a kernel: what can't be had isn't asked of it.
    capabilities: { ...capabilities, landlock: 0 },
    config: {
      secrets: [{ name: "one", source }],
      vault: { file: join(folder, "none"), identity: join(folder, "none") },
      audit: { file: join(folder, "audit.jsonl") },
      bots: [],
    },
    concessions: [],
  };
  const [refused] = await readStores({ sources: [source], key }, context, LAUNCHER);
  assert.ok(refused !== undefined && "code" in refused);
  assert.equal(refused.code, "helper");
  assert.match(refused.message, /can't be walled: this kernel has no Landlock$/);
  assert.match(refused.hint ?? "", /"no-landlock"/);
  for (const more of [{ concessions: ["no-landlock"] }, { capabilities }] as const) {
    const [read] = await readStores({ sources: [source], key }, { ...context, ...more }, LAUNCHER);
    assert.ok(read !== undefined && !("code" in read), JSON.stringify(read));
  }
});
