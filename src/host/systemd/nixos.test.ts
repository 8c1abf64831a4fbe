import assert from "node:assert/strict";
import { spawnSync } from "node:child_process";
import { existsSync, mkdirSync, symlinkSync, writeFileSync } from "node:fs";
import { dirname, join, resolve } from "node:path";
import { test, type TestContext } from "node:test";
import { temporaryFolder } from "../../../test/support/temporaryFolder.ts";

const ROOT = resolve(import.meta.dirname, "../../..");
const skip =
  spawnSync("bwrap", ["--ro-bind", "/", "/", "true"]).status === 0 ? false : "bwrap can't be run";

/** What a script of ours prints on a machine whose /etc/seawall/current is this link. */
function on(
  t: TestContext,
  link: string,
  script: string,
  more: (folder: string) => readonly string[] = () => [],
): string {
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
      ...more(folder),
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

/** A machine that a NixOS configuration described, and the generation that it is in force with. */
const PROVE = `
  import { mkdirSync, writeFileSync } from "node:fs";
  import { statePaths } from "${ROOT}/src/paths/index.ts";
  import { readLoaded } from "${ROOT}/src/host/index.ts";
  import { describedFiles, describedGeneration } from "${ROOT}/src/host/described/describedSystem.ts";
  import { readMachine } from "${ROOT}/src/host/described/MachineDescription.ts";
  import { machineInForce } from "${ROOT}/src/host/systemd/machineInForce.ts";
  import { systemInput } from "${ROOT}/src/host/systemd/systemInput.ts";
  import { systemPaths } from "${ROOT}/src/host/systemd/systemPaths.ts";
  import { systemdTarget } from "${ROOT}/src/targets/index.ts";
  const paths = statePaths(process.env, 0);
  const places = systemPaths(paths);
  const names = ["ip", "socketProxy", "caddy", "tailscale"];
  const [node, store] = [process.execPath, "/nix/store/xyz-seawall/lib/seawall"];
  const machine = {
    version: 1, nixos: true, systemd: 259, kernel: "6.18.37", architecture: "x86_64",
    paths: {
      generation: places.current, private: "/var/lib/seawall/system/private", state: "/var/lib/seawall/system",
      runtime: "/run/seawall", vault: { file: "/v", identity: "/i" },
    },
    programs: {
      node, launcher: store + "/build/seawall-launch", shell: "/bin/sh",
      ...Object.fromEntries(names.map((name) => [name, "/nix/store/abc-" + name])),
    },
    project: store, cache: store + "/broker-cache", openclaw: { "2026.9.6": "/tmp/openclaw" },
    commands: {}, tokens: {}, system: ["/nix/store", "/etc"],
  };
  mkdirSync("/tmp/openclaw");
  writeFileSync("/nix/store/abc-system/machine.json", JSON.stringify(machine));
  const text = '{ seawall: 1, bots: { one: { openclaw: "2026.9.6", model: "ollama/x", grants: { ollama: {} } } } }';
  const generation = await describedGeneration(readLoaded(text, "/etc/seawall/seawall.json5"), readMachine("/nix/store/abc-system/machine.json"));
  const textOf = ({ bytes }) => Buffer.from(bytes).toString();
  const print = ({ system, place }) =>
    new Map(systemdTarget.render(systemInput(generation, system, place)).map((file) => [file.path, textOf(file)]));
  const programs = { launcher: machine.programs.launcher, node };
  try {
    const found = await machineInForce(places, { version: 259, programs, store: paths.store });
    const running = describedFiles(generation, readMachine("/nix/store/abc-system/machine.json"));
    const differing = (copy) =>
      running.filter(({ path }) => copy.has(path) && !path.startsWith("units/"))
        .map((file) => file.path.split("/").at(-1) + (copy.get(file.path) === textOf(file) ? "" : " differs"));
    const copy = print(found);
    console.log(differing(copy).join(", "));
    console.log(copy.get("units/seawall-broker-one.service").includes(store + "/broker-cache"));
    // Control: without what it was described with.
    const { project, cache } = found.place;
    const bare = print({ system: found.system, place: { project, cache } });
    console.log(differing(bare).filter((name) => name.endsWith("differs")).join(", "));
  } catch ({ code, message }) {
    console.log(code, message);
  }`;

test("prove starts its copy on NixOS from what the machine was described with", { skip }, (t) => {
  const said = on(t, "/nix/store/abc-system", PROVE);
  assert.match(said, /^(?:[\w.-]+, )*broker\.policy, (?:[\w.-]+, )*gateway\.policy/);
  const [files = "", cached, bare] = said.split("\n");
  assert.doesNotMatch(files, /differs/);
  assert.equal(cached, "true");
  assert.equal(bare, "broker.policy differs");
});

/** Debian's git where Nix would have it, and nowhere else. */
const inStore = (folder: string): readonly string[] => {
  mkdirSync(join(folder, "path"));
  symlinkSync("/nix/store/abc-git/bin/git", join(folder, "path/git"));
  return [
    "--ro-bind /dev/null /usr/bin/git",
    "--ro-bind /usr/bin/git /nix/store/abc-git/bin/git",
    "--ro-bind /usr/lib/git-core /nix/store/abc-git/libexec/git-core",
    "--tmpfs /usr/lib/git-core",
  ];
};

test(
  "git is found on the PATH of a NixOS, with the program that it fetches by",
  { skip: skip === false && !existsSync("/usr/lib/git-core") ? "git is missing" : skip },
  (t) => {
    const script = `
      import { findGit } from "${ROOT}/src/host/index.ts";
      import { programFiles } from "${ROOT}/src/wall/index.ts";
      const find = (PATH) => findGit({ PATH });
      const at = process.argv[1].replace("try.mts", "path");
      const git = find("relative:" + at);
      console.log(find("/nowhere") ?? "none", git, programFiles([git ?? ""]).execute.join(" "));`;
    assert.equal(
      on(t, "/nix/store/abc-system", script, inStore),
      "none /nix/store/abc-git/bin/git /nix/store/abc-git/libexec/git-core/git-remote-http /nix/store/abc-git/libexec/git-core/git-remote-https",
    );
  },
);
