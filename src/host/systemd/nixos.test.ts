import assert from "node:assert/strict";
import { spawnSync } from "node:child_process";
import { mkdirSync, writeFileSync } from "node:fs";
import { dirname, join, resolve } from "node:path";
import { test, type TestContext } from "node:test";
import { temporaryFolder } from "../../../test/support/temporaryFolder.ts";

const ROOT = resolve(import.meta.dirname, "../../..");
const skip =
  spawnSync("bwrap", ["--ro-bind", "/", "/", "true"]).status === 0 ? false : "bwrap can't be run";

/** What a script of ours prints on a machine whose /etc/seawall/current is this link. */
function on(t: TestContext, link: string, script: string): string {
  const folder = temporaryFolder(t);
  mkdirSync(join(folder, "bin"));
  writeFileSync(join(folder, "bin/systemctl"), "#!/bin/sh\necho systemctl of NixOS\n", {
    mode: 0o755,
  });
  writeFileSync(join(folder, "try.mts"), script);
  const node = dirname(process.execPath);
  const { stdout, stderr } = spawnSync(
    "bwrap",
    [
      "--tmpfs / --proc /proc --dev /dev --tmpfs /tmp --symlink usr/bin /bin",
      "--ro-bind-try /usr /usr --ro-bind-try /lib /lib --ro-bind-try /lib64 /lib64",
      `--ro-bind ${ROOT} ${ROOT} --ro-bind ${folder} ${folder} --ro-bind ${node} ${node}`,
      // Debian's systemctl isn't there on a NixOS.
      "--ro-bind-try /dev/null /usr/bin/systemctl",
      "--dir /nix/store/abc-system --dir /etc/seawall/generations/1",
      `--symlink ${link} /etc/seawall/current`,
      `--ro-bind ${folder}/bin /run/current-system/sw/bin`,
      `${process.execPath} ${folder}/try.mts`,
    ].flatMap((line) => line.split(" ")),
    { encoding: "utf8", env: { SEAWALL_STATE: "/tmp/state" } },
  );
  return `${stdout}${stderr}`.trim();
}

const IN_FORCE = `
  import { statePaths } from "${ROOT}/src/paths/index.ts";
  import { systemInForce } from "${ROOT}/src/host/systemd/systemInForce.ts";
  try {
    systemInForce(statePaths(process.env, 0), () => undefined);
  } catch ({ code, message }) {
    console.log(code, message);
  }`;

test(
  "what NixOS has in force isn't Seawall's to change, which is said before anything is written",
  { skip },
  (t) => {
    const refusal = "cannot-serve this machine's bots are in its NixOS configuration";
    assert.equal(on(t, "/nix/store/abc-system", IN_FORCE), refusal);
    // Control: where Seawall itself has it, it only lacks what this machine hasn't.
    assert.match(on(t, "/etc/seawall/generations/1", IN_FORCE), /^no-such-generation/);
  },
);

test("the system's programs are found where NixOS has them", { skip }, (t) => {
  const script = `
    import { run } from "${ROOT}/src/host/systemd/run.ts";
    console.log((await run("systemctl", [])).stdout.trim());`;
  assert.equal(on(t, "/nix/store/abc-system", script), "systemctl of NixOS");
});
