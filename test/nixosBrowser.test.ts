import assert from "node:assert/strict";
import { execFileSync, spawn } from "node:child_process";
import { randomBytes } from "node:crypto";
import { once } from "node:events";
import { chmodSync, mkdirSync, readFileSync, statSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { test } from "node:test";
import { findChromium } from "../src/services/index.ts";
import { lackingBrowser, probeSubject } from "../src/services/browser/testing/TestBrowser.ts";
import { lacksNixosRoot, NixosRoot, SEAWALL } from "./support/NixosRoot.ts";
import type { Ran } from "./support/runSeawall.ts";
import { temporaryFolder } from "./support/temporaryFolder.ts";

const skip = lacksNixosRoot() || lackingBrowser(await probeSubject());
const SYSTEM = "/nix/store/abc-system";
const PROGRAM = "/nix/store/abc-browser";
const FONTS = "/nix/store/abc-fonts";
const STATE = "/var/lib/seawall/system";
const GATE = 903;
/** Where systemd would hear that something is ready. */
const NOTIFY = "/run/notify";

const PASSWD = `root:x:0:0:root:/root:/bin/sh
seawall-one:x:901:901:Seawall bot one:/:/bin/false
seawall_one:x:902:902:Seawall broker of one:/:/bin/false
seawall_gate_one:x:${GATE}:${GATE}:Seawall gate before the browser of one:/:/bin/false
seawall_web_one:x:904:904:Seawall browser of one:/:/bin/false
nobody:x:65534:65534::/:/bin/false
`;

function describeMachine(root: NixosRoot, chromium: string): void {
  const names = ["ip", "socketProxy", "caddy", "tailscale"];
  const machine = {
    version: 1,
    nixos: true,
    systemd: 258,
    kernel: "6.18.37",
    architecture: "x86_64",
    paths: {
      generation: "/etc/seawall/current",
      private: `${STATE}/private`,
      state: STATE,
      runtime: "/run/seawall",
      vault: { file: "/v", identity: "/i" },
    },
    programs: {
      node: root.node,
      launcher: `${SEAWALL}/build/seawall-launch`,
      shell: "/nix/store/abc-dash/bin/dash",
      ...Object.fromEntries(names.map((name) => [name, `/nix/store/abc-${name}`])),
    },
    browser: { chromium, program: PROGRAM, fonts: FONTS },
    project: SEAWALL,
    cache: "/nix/store/abc-openclaw",
    openclaw: { "2026.9.6": "/nix/store/abc-openclaw" },
    commands: {},
    system: ["/nix/store", "/etc"],
  };
  root.write(`${SYSTEM}/machine.json`, JSON.stringify(machine));
}

/** Starts a program with so many descriptors besides. */
const WITH_DESCRIPTORS = `
  const [count, program, ...args] = process.argv.slice(1);
  const none = require("fs").openSync("/dev/null");
  const stdio = ["ignore", "inherit", "inherit", ...Array(Number(count)).fill(none)];
  require("child_process").spawnSync(program, args, { stdio });`;

/** Runs what a unit does, with the mounts and variables of the unit, and nothing in place of its sockets. */
function startUnit(root: NixosRoot, unit: (name: string) => string, name: string): Promise<Ran> {
  const text = unit(name);
  const values = (of: string, key: string): string[] =>
    [...of.matchAll(new RegExp(`^${key}=(.*)$`, "gm"))].map(([, value = ""]) => value);
  const binds = values(text, "BindReadOnlyPaths").flatMap((paths) => {
    const [from = "", to = from] = paths.split(":");
    return [`--ro-bind-try ${from} ${to}`];
  });
  const folders = values(text, "BindPaths").map((paths) => {
    const [from = "", to = from] = paths.split(":");
    return `--bind ${from} ${to}`;
  });
  const variables = values(text, "Environment").map((each) => `--setenv ${each.replace("=", " ")}`);
  const sockets = values(text, "Sockets").flatMap((names) => names.split(" "));
  const listens = sockets.flatMap((socket) => values(unit(socket), "Listen\\w+"));
  const words = [
    "/nix/store/abc-bubblewrap/bin/bwrap --unshare-pid --die-with-parent",
    `--tmpfs / --proc /proc --dev /dev --tmpfs /tmp --dir /srv/bot --ro-bind ${NOTIFY} ${NOTIFY}`,
    `--setenv NOTIFY_SOCKET ${NOTIFY}`,
    ...binds,
    ...folders,
    ...variables,
    "--",
    ...values(text, "ExecStart"),
  ].flatMap((line) => line.split(" "));
  return root.start([root.node, "-e", WITH_DESCRIPTORS, String(listens.length), ...words], "");
}

test(
  "a bot of a NixOS reads a page by the Chromium of its store, with what the store has for it and nothing else",
  { skip },
  async (t) => {
    const folder = temporaryFolder(t);
    chmodSync(folder, 0o755);
    const place = join(folder, "root");
    const root = new NixosRoot(place);
    root.write("/etc/passwd", PASSWD);
    root.write("/etc/machine-id", `${randomBytes(16).toString("hex")}\n`);
    mkdirSync(join(place, "nix/store/abc-openclaw"));
    const fonts = join(place, FONTS);
    mkdirSync(fonts);
    // Nothing of it leads out of it, as in what the module makes.
    execFileSync("cp", ["-rL", "/usr/share/fonts", "/etc/fonts/conf.d", fonts]);
    writeFileSync(
      join(fonts, "fonts.conf"),
      `<?xml version="1.0"?><fontconfig><dir>${FONTS}/fonts</dir><include>${FONTS}/conf.d</include></fontconfig>`,
    );
    describeMachine(root, root.putChromium(findChromium() ?? ""));
    const declaration = {
      seawall: 1,
      bots: {
        one: {
          openclaw: "2026.9.6",
          model: "ollama/x",
          grants: { ollama: {}, "browser-fetch": { allowHosts: ["tide.example"] } },
          exec: { allow: ["browser-fetch"] },
        },
      },
    };
    root.write("/etc/seawall/seawall.json5", JSON.stringify(declaration));
    // As the package of ours is built.
    const copied = await root.run("src/host/described/copyBrowser.ts", [PROGRAM]);
    assert.equal(copied.code, 0, copied.stderr);

    const { code, stdout, stderr } = await root.run("test/support/readPageOnNixos.ts", [SYSTEM]);
    assert.equal(code, 0, stderr);
    const { reply } = JSON.parse(stdout) as {
      readonly reply: { readonly page?: { readonly markdown: string } };
    };
    assert.match(reply.page?.markdown ?? stdout, /The tide[^]*drawn in two fonts/);

    const unit = (name: string): string => readFileSync(join(place, SYSTEM, "units", name), "utf8");
    const browser = unit("seawall-browser-one@.service");
    const shown = [...browser.matchAll(/^BindReadOnlyPaths=(\S+?)(?::\S+)?$/gm)].map(
      ([, path]) => path,
    );
    // Of the store file by file what they are linked with, and no package whole but the folders that are named.
    for (const path of ["abc-chromium/libexec/chromium", "abc-glibc/lib/libnss3.so"])
      assert.ok(shown.includes(`/nix/store/${path}`), shown.join("\n"));
    assert.ok(
      shown.includes("/nix/store/abc-vulkan-loader/lib/libvulkan.so.1.4"),
      shown.join("\n"),
    );
    for (const path of ["/nix/store", "/etc", "/nix/store/abc-glibc/lib", SEAWALL])
      assert.ok(!shown.includes(path), path);

    // At activation: what the gate is told is the gate's alone.
    root.switchTo(SYSTEM);
    for (let times = 0; times < 2; times++) {
      const prepared = await root.run("src/host/described/main.ts", ["/etc/seawall/current"]);
      assert.equal(prepared.code, 0, prepared.stderr);
      const { uid, gid, mode } = statSync(join(place, STATE, "private/one/gate.json"));
      assert.deepEqual([uid, gid, mode & 0o777], [GATE, GATE, 0o400]);
    }
    const told = JSON.parse(
      readFileSync(join(place, STATE, "private/one/gate.json"), "utf8"),
    ) as Readonly<Record<string, unknown>>;
    assert.deepEqual(
      [told["bot"], told["executable"], told["browser"]],
      [
        "one",
        "/nix/store/abc-chromium/libexec/chromium/chromium",
        "/run/seawall/one/browser/socket",
      ],
    );

    // Each unit's program is started in what its unit shows and by what its launcher leaves it: Node itself then says
    // what else it lacks here. Without the store's loader it would not be started at all.
    const runtime = "/run/seawall/one";
    for (const path of [
      `${STATE}/audit/one`,
      `${STATE}/bots/one`,
      `${runtime}/command`,
      `${runtime}/scratch/tmp`,
    ])
      mkdirSync(join(place, path), { recursive: true });
    const script =
      "socket(S,PF_UNIX,SOCK_DGRAM,0);bind(S,sockaddr_un($ARGV[0]));$|=1;print 1;<STDIN>";
    const hears = spawn("perl", ["-MSocket", "-e", script, join(place, NOTIFY)]);
    t.after(() => hears.kill());
    await once(hears.stdout, "data");
    for (const [name, says] of [
      ["seawall-gate-one.service", /systemd handed over no sockets/],
      ["seawall-broker-one.service", /systemd handed over no sockets/],
      ["seawall-gateway-one.service", /Cannot find module/],
    ] as const) {
      const started = await startUnit(root, unit, name);
      assert.match(started.stderr, says, name);
    }
  },
);
