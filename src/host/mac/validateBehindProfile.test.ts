import assert from "node:assert/strict";
import { chmodSync, mkdtempSync, realpathSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { test } from "node:test";
import { testStore } from "../../../test/support/testStore.ts";
import { DeclarationError } from "../../declaration/index.ts";
import { statePaths } from "../../paths/index.ts";
import { careful, MAC } from "../../wall/testing/macHost.ts";
import { FIRST_UID } from "../botUsers.ts";
import { makeLocks } from "../shared/sharedFiles.ts";
import { loadDeclaration } from "../loadDeclaration.ts";
import { prepareGeneration } from "../prepareGeneration.ts";
import { validateInWall } from "../validateInWall.ts";

test("OpenClaw itself refuses a wrong configuration behind the profile of a Mac's bot", async (t) => {
  const folder = realpathSync(mkdtempSync(join(tmpdir(), "seawall-mac-")));
  t.after(() => {
    rmSync(folder, { recursive: true, force: true });
    // Root's bots are others, and these were nobody's; an ordinary user may have an OpenClaw.
    if (process.getuid?.() === 0) rmSync(makeLocks(FIRST_UID), { recursive: true });
  });
  chmodSync(folder, 0o755);
  const paths = statePaths({ SEAWALL_STATE: join(folder, "state"), SEAWALL_STORE: testStore() }, 0);
  const launcher = careful(folder);
  const prepare = async (settings: object): Promise<unknown> => {
    const file = join(folder, "seawall.json5");
    const bot = {
      openclaw: "2026.9.6",
      model: "anthropic/claude-sonnet-4-6",
      grants: { anthropic: { secret: "anthropic" } },
      concessions: ["no-user-namespaces"],
      settings,
    };
    const secrets = { anthropic: { vault: "anthropic" } };
    writeFileSync(file, JSON.stringify({ seawall: 1, secrets, bots: { one: bot } }));
    return await prepareGeneration(
      loadDeclaration(file, {}),
      paths,
      () => undefined,
      async () => ({
        validate: (input) =>
          validateInWall({
            ...input,
            programs: { ...input.programs, launcher },
            capabilities: MAC,
          }),
        shared: new Set(["one"]),
      }),
    );
  };
  await assert.rejects(prepare({ ui: { seamColor: 7 } }), (error: unknown) => {
    assert.ok(error instanceof DeclarationError);
    assert.deepEqual(
      error.faults.map(({ code, path }) => [code, path]),
      [["refused-by-openclaw", "bots.one.settings.ui.seamColor"]],
    );
    return true;
  });
});
