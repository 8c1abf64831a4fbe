import assert from "node:assert/strict";
import { test } from "node:test";
import { temporaryFolder } from "../../test/support/temporaryFolder.ts";
import { registryUrl } from "../openclaw/index.ts";
import { npmOf, storeNpm } from "./storeNpm.ts";

test("an npm that was copied says which registry it asks, where there is none on PATH", async (t) => {
  const npm = npmOf(storeNpm(temporaryFolder(t)));
  const { PATH, npm_config_registry: before } = process.env;
  t.after(() => {
    process.env["PATH"] = PATH;
    if (before === undefined) delete process.env["npm_config_registry"];
    else process.env["npm_config_registry"] = before;
  });
  process.env["PATH"] = "/nonexistent";
  process.env["npm_config_registry"] = "https://npm.example.com/all/";
  assert.equal(await registryUrl(npm), "https://npm.example.com/all/");
  process.env["npm_config_registry"] = "http://npm.example.com/";
  await assert.rejects(registryUrl(npm), { code: "registry" });
  await assert.rejects(registryUrl(), { code: "npm-missing" });
});
