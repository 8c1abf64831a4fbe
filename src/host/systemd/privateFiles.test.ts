import assert from "node:assert/strict";
import { test } from "node:test";
import { temporaryFolder } from "../../../test/support/temporaryFolder.ts";
import type { ServiceConfig } from "../../broker/index.ts";
import { compileDeployment } from "../../broker/Deployment.ts";
import { catalogue } from "../../catalogue/index.ts";
import { checkShape } from "../../declaration/index.ts";
import { statePaths } from "../../paths/index.ts";
import { makePlan } from "../../plan/index.ts";
import { environmentFile, privateFiles } from "./privateFiles.ts";
import { portableInput } from "./portableInput.ts";

const bot = { openclaw: "2026.9.6", model: "anthropic/claude-sonnet-4-6" };

test("privateFiles() tells each broker of its own secrets, and those that it makes, alone", async (t) => {
  const { declaration, faults } = checkShape({
    seawall: 1,
    secrets: {
      anthropic: { vault: "anthropic" },
      key: { file: "/run/secrets/key" },
      made: { googleServiceAccount: "key", scopes: ["a"], dial: { ca: "ca.pem" } },
    },
    services: {
      calendar: {
        hosts: ["https://a.example.com"],
        credential: [{ header: "a" }],
        allow: ["GET /"],
      },
    },
    bots: {
      plain: { ...bot, port: 20_000, grants: { anthropic: { secret: "anthropic" } } },
      minting: {
        ...bot,
        port: 20_001,
        grants: { anthropic: { secret: "anthropic" }, calendar: { secret: "made" } },
      },
    },
  });
  assert.deepEqual(faults, []);
  assert.ok(declaration);
  const { plan } = makePlan(declaration, { catalogue, versions: ["2026.9.6"] });
  assert.ok(plan);
  const files = await privateFiles({
    generation: {
      number: 1,
      created: "",
      declaration: "/etc/seawall/seawall.json5",
      plan,
      programs: { node: "", launcher: "", shell: "" },
      bots: {},
      mintCas: { made: "CA" },
    },
    paths: statePaths({ SEAWALL_STATE: temporaryFolder(t) }, 1000),
    system: portableInput(plan).system,
    users: new Map(),
    before: undefined,
  });
  const configOf = (name: string): ServiceConfig => {
    const file = files.find(({ path }) => path === `private/${name}/broker.json`);
    assert.equal(file?.mode, 0o400);
    return JSON.parse(Buffer.from(file.bytes).toString()) as ServiceConfig;
  };
  const minting = configOf("minting").broker;
  assert.deepEqual(
    minting.secrets.map(({ name, source }) => [name, source.store]),
    [
      ["anthropic", "vault"],
      ["key", "credential"],
    ],
  );
  assert.deepEqual(
    minting.minted?.map(({ name, dial }) => [name, dial?.ca]),
    [["made", "CA"]],
  );
  assert.deepEqual(
    minting.bots.map(({ name }) => name),
    ["minting"],
  );
  const plain = configOf("plain").broker;
  assert.deepEqual(
    plain.secrets.map(({ name }) => name),
    ["anthropic"],
  );
  assert.equal(plain.minted, undefined);
  for (const config of [minting, plain])
    assert.doesNotThrow(() =>
      compileDeployment(config, { read: () => Promise.reject(new Error("not asked")) }),
    );
});

test("environmentFile() quotes what systemd would take for something else", () => {
  assert.equal(environmentFile({ B: 'a"b\\c', A: "$x `y`" }), 'A="\\$x \\`y\\`"\nB="a\\"b\\\\c"\n');
});
