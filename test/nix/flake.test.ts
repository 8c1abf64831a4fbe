import assert from "node:assert/strict";
import { execFileSync } from "node:child_process";
import { mkdirSync, readFileSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { describe, test } from "node:test";
import { checkShape } from "../../src/declaration/index.ts";
import { assertFailed } from "../support/failures.ts";
import { InitPlace } from "../support/InitPlace.ts";
import { lacking } from "../support/lacking.ts";
import { evaluate, FOLDER, ROOT } from "./evaluate.ts";

/** What `seawall init --flake` writes evaluates, with Seawall's own flake as the input that it names. */

const skip = lacking("nix-instantiate", ["--version"]);

interface Written {
  readonly app: { readonly type: string; readonly program: string };
  readonly inputs: readonly string[];
  readonly urls: Readonly<Record<string, string>>;
  readonly machines: Readonly<Record<string, Machine | undefined>>;
}

interface Machine {
  readonly system: string;
  readonly hostName: string;
  readonly agenix: Readonly<Record<string, string>>;
  readonly sops: readonly string[];
  readonly facts: {
    readonly failed: readonly string[];
    readonly declaration: { readonly secrets: unknown; readonly bots: unknown };
    readonly ports: readonly number[];
  };
}

function written(folder: string): Written {
  const { ok, out, error } = evaluate(`import ${FOLDER}/flake.nix { folder = ${folder}; }`);
  assert.ok(ok, error);
  return JSON.parse(out) as Written;
}

const BOT = ["--provider", "anthropic", "--channels", "telegram", "--set", "telegram.allowFrom=12"];
const MORE = [
  ..."--services github,sonarr,browser-fetch --set sonarr.url=http://10.0.0.5:8989".split(" "),
  ..."--set browser-fetch.allowHosts=*.wikipedia.org".split(" "),
];

describe("seawall init --flake", { skip }, () => {
  test("writes a flake of the machine that it was told of, whose bot is the declaration of the same answers", (t) => {
    const place = new InitPlace(t);
    const machine = ["--host", "shore", "--system", "aarch64-linux", "--seawall", "github:a/b"];
    // A channel that is a plugin, too.
    const channels = ["--channels", "telegram,mattermost", "--set", "telegram.allowFrom=12"];
    const url = ["--set", "mattermost.url=https://chat.example.com"];
    const said = ["--provider", "anthropic", ...channels, ...url, ...MORE];
    const bot = [...said, "--bot", "herald", "--domain", "bots.example.com"];
    const ran = place.run(["init", "--flake", ...machine, ...bot]);
    assert.equal(ran.code, 0, ran.stderr);
    const { inputs, urls, machines } = written(place.work);
    assert.deepEqual(inputs, ["nixpkgs", "seawall"]);
    assert.equal(urls["seawall"], "github:a/b");
    assert.deepEqual(Object.keys(machines), ["shore"]);
    const { facts, hostName, system } = machines["shore"] ?? {};
    assert.deepEqual([hostName, system, facts?.ports], ["shore", "aarch64-linux", [443]]);
    assert.deepEqual(facts?.failed, []);
    const values = ["anthropic", "telegram", "mattermost", "github", "sonarr"].flatMap((name) => {
      const text = { telegram: `12345:${"a".repeat(35)}`, mattermost: "a".repeat(26) }[name];
      writeFileSync(join(place.home, name), text ?? "k");
      return ["--secret-file", `${name}=${join(place.home, name)}`];
    });
    const one = place.run(["init", ...bot, ...values, "--store", "vault", "--json", "--dry-run"]);
    const { text } = JSON.parse(one.stdout) as { readonly text: string };
    const file = join(place.home, "seawall.json5");
    writeFileSync(file, text);
    const out = join(place.home, "out");
    assert.equal(place.run(["build", "--target", "nixos", "--out", out, file]).code, 0);
    // Read by Nix, both say the same.
    assert.deepEqual(checkShape(facts?.declaration).faults, []);
    const same = evaluate(
      `(import ${FOLDER}/evaluate.nix (import ${out}/seawall.nix { pkgs.coreutils = { }; pkgs.gnugrep = { }; })).declaration.bots`,
    );
    assert.ok(same.ok, same.error);
    assert.deepEqual(facts?.declaration.bots, JSON.parse(same.out));
  });

  test("takes the machine's own configuration.nix, its name included", (t) => {
    const place = new InitPlace(t);
    const own = '{ pkgs, ... }: { networking.hostName = "harbour"; }\n';
    writeFileSync(join(place.work, "configuration.nix"), own);
    const ran = place.run(["init", "--flake", ...BOT, "--host", "harbour-1"]);
    assert.equal(ran.code, 0, ran.stderr);
    assert.match(
      ran.stdout,
      /\nonce it runs, on that machine: sudo seawall secret set anthropic; sudo seawall secret set telegram\nnext: (?:sudo )?nixos-rebuild switch --flake '?\.#harbour-1'?\n$/,
    );
    assert.equal(readFileSync(join(place.work, "configuration.nix"), "utf8"), own);
    assert.equal(written(place.work).machines["harbour-1"]?.hostName, "harbour");
  });

  test("with agenix it encrypts the secrets into the flake, and has agenix's module make them", (t) => {
    const place = new InitPlace(t);
    const folder = join(place.work, "secrets");
    mkdirSync(folder);
    const recipient = "age1zvkyg2lqzraa2lnjvqej32nkuu0ues2s82hzrye869xeexvn73equnujwj\n";
    writeFileSync(join(folder, "recipients.txt"), recipient);
    const args = ["init", "--flake", "--provider", "anthropic", "--store", "agenix"];
    const ran = place.run([...args, "--secret-file", "anthropic=-"], "sk-ant-canary-of-the-flake");
    assert.equal(ran.code, 0, ran.stderr);
    const { inputs, machines } = written(place.work);
    assert.deepEqual(inputs, ["agenix", "nixpkgs", "seawall"]);
    const { agenix, facts } = machines["agents"] ?? {};
    assert.deepEqual(agenix, { anthropic: join(folder, "anthropic.age") });
    assert.match(readFileSync(join(folder, "anthropic.age"), "latin1"), /^age-encryption\.org/);
    assert.deepEqual(facts?.declaration.secrets, {
      anthropic: { file: "/run/agenix/anthropic" },
    });
    for (const name of place.files().filter((each) => /\.(?:nix|age|txt)$/.test(each)))
      assert.ok(!readFileSync(join(place.root, name), "latin1").includes("canary"), name);
  });

  test("with sops-nix, a path or a credential it says where that will be", (t) => {
    const sops = new InitPlace(t);
    writeFileSync(join(sops.work, "secrets.yaml"), "sops: {}\n");
    const args = ["init", "--flake", "--provider", "anthropic", "--store"];
    const ran = sops.run([...args, "sops", "--secret-at", "anthropic=keys/anthropic"]);
    assert.equal(ran.code, 0, ran.stderr);
    const { inputs, machines } = written(sops.work);
    assert.deepEqual(inputs, ["nixpkgs", "seawall", "sops-nix"]);
    assert.deepEqual(machines["agents"]?.sops, ["keys/anthropic"]);
    const secretsOf = (folder: string): unknown =>
      written(folder).machines["agents"]?.facts.declaration.secrets;
    assert.deepEqual(secretsOf(sops.work), { anthropic: { file: "/run/secrets/keys/anthropic" } });
    for (const [flags, declared] of [
      [["file", "--secret-at", "anthropic=/run/keys/a"], { file: "/run/keys/a" }],
      [["systemd"], { systemdCredential: "anthropic" }],
    ] as const) {
      const place = new InitPlace(t);
      const made = place.run([...args, ...flags]);
      assert.equal(made.code, 0, made.stderr);
      assert.deepEqual(secretsOf(place.work), { anthropic: declared });
    }
  });

  test("nothing that is answered is read as Nix", (t) => {
    const place = new InitPlace(t);
    writeFileSync(join(place.work, "s.yaml"), "sops: {}\n");
    const odd = String.raw`${"$"}{throw"x"}"\n''\\`;
    const ran = place.run([
      ..."init --flake --provider anthropic --store sops --sops-file s.yaml --model".split(" "),
      "anthropic/x",
      `--seawall=path:/a${odd}`,
      `--identity=/k${odd}`,
      `--secret-at=anthropic=${odd}`,
    ]);
    assert.equal(ran.code, 0, ran.stderr);
    const { urls, machines } = written(place.work);
    assert.equal(urls["seawall"], `path:/a${odd}`);
    assert.deepEqual(machines["agents"]?.sops, [odd]);
  });

  test("nix run …#quick-setup is the same", (t) => {
    const place = new InitPlace(t);
    assert.equal(place.run(["init", "--flake", "--provider", "ollama", "--model", "x"]).code, 0);
    const { type, program } = written(place.work).app;
    assert.equal(type, "app");
    // The script, with the command line of these sources where the package would have it.
    const bin = join(place.home, "bin");
    mkdirSync(bin);
    const main = `#!/bin/sh\nexec ${process.execPath} ${ROOT}/src/cli/start.cjs "$@"\n`;
    writeFileSync(join(bin, "seawall"), main, { mode: 0o755 });
    assert.match(program, /\/nix\/store\/seawall\/bin\/seawall/);
    const script = program.replace("/nix/store/seawall/bin", bin);
    const other = new InitPlace(t);
    execFileSync("/bin/sh", ["-c", script, "app", "--provider", "ollama", "--model", "x"], {
      cwd: other.work,
      env: other.env,
      stdio: ["ignore", "pipe", "pipe"],
    });
    for (const name of ["flake.nix", "bots.nix", "configuration.nix"])
      assert.equal(
        readFileSync(join(other.work, name), "utf8"),
        readFileSync(join(place.work, name), "utf8"),
      );
  });
});

describe("seawall init --flake refuses", () => {
  test("a folder that has a flake, or a module of that name, whatever it is told", (t) => {
    for (const name of ["flake.nix", "bots.nix"]) {
      const place = new InitPlace(t);
      writeFileSync(join(place.work, name), "{ }\n");
      assertFailed(
        place.run(["init", "--flake", ...BOT]),
        1,
        /there is already a .*isn't replaced/,
      );
      assert.deepEqual(place.files(), [`work/${name}`]);
      assert.equal(place.run(["init", "--flake", ...BOT, "--force"]).code, 2);
      assert.equal(readFileSync(join(place.work, name), "utf8"), "{ }\n");
    }
  });

  test("answers that a machine of NixOS has no use for, all at once", (t) => {
    const place = new InitPlace(t);
    const { code, stderr } = place.run([
      ..."init --flake --provider anthropic --host=-x --system riscv64-linux".split(" "),
      ..."--seawall https://me:hunter2@git.example.com/seawall".split(" "),
      ..."--services browser-fetch --store keyring".split(" "),
    ]);
    assert.equal(code, 2, stderr);
    for (const text of [
      "--host: a host name is",
      "--system: Seawall runs on",
      "--seawall: leave out who logs in",
      "--store: nothing reads that when a machine of NixOS boots",
    ])
      assert.ok(stderr.includes(text), `${text}: ${stderr}`);
    // Services that are programs of ours are there, too.
    assert.ok(!stderr.includes("--services"), stderr);
    assert.ok(!stderr.includes("hunter2"), stderr);
  });

  test("secrets of a flake that lie outside of it, and values for a vault that isn't here", (t) => {
    const place = new InitPlace(t);
    const init = ["init", "--flake", "--provider", "anthropic"];
    const wrong: readonly (readonly [readonly string[], RegExp])[] = [
      [["--store", "sops", "--sops-file", "/etc/passwd"], /--sops-file: it has to be in the flake/],
      [["--store", "sops"], /--sops-file: that isn't there/],
      [["--store", "agenix", "--folder", ".."], /--folder: it has to be in the flake/],
      [["--store", "agenix", "--folder", "no/where"], /--folder: that isn't there/],
      [["--secret-file", "anthropic=-"], /stored on that machine, once it runs: sudo seawall/],
      [["--passphrase"], /can't be opened when the machine boots/],
    ];
    for (const [flags, message] of wrong)
      assertFailed(place.run([...init, ...flags], "sk-ant-x"), 2, message);
    assertFailed(
      place.run(["init", "--host", "x", "--provider", "anthropic"]),
      2,
      /--host goes with/,
    );
    assert.deepEqual(place.files(), []);
  });
});
