import assert from "node:assert/strict";
import { spawnSync } from "node:child_process";
import { mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { dirname, join } from "node:path";
import { describe, test } from "node:test";
import { catalogue } from "../../catalogue/index.ts";
import { checkShape } from "../../declaration/index.ts";
import { portableInput } from "../../host/index.ts";
import { makePlan, type Plan } from "../../plan/index.ts";
import { TargetError } from "../TargetError.ts";
import {
  BRIDGE_USER,
  bridgeUnits,
  brokerUser,
  browserUnits,
  browserUser,
  botUnits,
  botUser,
  gateUser,
} from "./names.ts";
import { systemdTarget } from "./systemdTarget.ts";
import type { SystemdInput } from "./SystemdInput.ts";

function have(program: string): boolean {
  return spawnSync("sh", ["-c", `command -v ${program}`]).status === 0;
}

/** Why a check by a real program is skipped; where CI says it is there, a failure. */
function lacks(program: string): string | false {
  if (have(program)) return false;
  if (process.env["CI"] === "true") throw new Error(`this machine lacks ${program}`);
  return `needs ${program} (./dev test installs it)`;
}

/** @param bridged so many of them, from the first on, may write to each other, and read pages */
function planOf(bots: number, bridged = 0): Plan {
  const names = Array.from({ length: bots }, (_, index) => `bot${index}`);
  const { declaration, faults } = checkShape({
    seawall: 1,
    secrets: { anthropic: { vault: "anthropic" } },
    bots: Object.fromEntries(
      names.map((name, index) => [
        name,
        {
          openclaw: "2026.9.6",
          model: "anthropic/claude-sonnet-4-6",
          grants: {
            anthropic: { secret: "anthropic" },
            "imap.example.com": { tcp: 993 },
            ...(index < bridged
              ? { bridge: {}, "browser-fetch": { allowHosts: ["*.example.org"] } }
              : {}),
          },
          exec: { allow: ["ls", "cat", ...(index < bridged ? ["bridge", "browser-fetch"] : [])] },
          port: 20_000 + index,
        },
      ]),
    ),
  });
  assert.deepEqual(faults, []);
  assert.ok(declaration !== undefined);
  const { plan, faults: planFaults } = makePlan(declaration, { catalogue, versions: ["2026.9.6"] });
  assert.deepEqual(planFaults, []);
  assert.ok(plan !== undefined);
  return plan;
}

/** Files written for this machine's programs, so that real tools find what units name. */
function written(input: SystemdInput): { readonly folder: string; readonly units: string[] } {
  const folder = mkdtempSync(join(tmpdir(), "seawall-units-"));
  for (const { path, bytes } of systemdTarget.render(input)) {
    mkdirSync(dirname(join(folder, path)), { recursive: true });
    writeFileSync(join(folder, path), bytes);
  }
  const units = systemdTarget
    .render(input)
    .flatMap(({ path }) => (path.startsWith("units/") ? [join(folder, path)] : []));
  return { folder, units };
}

function local(plan: Plan): SystemdInput {
  const input = portableInput(plan);
  const programs = {
    ...input.system.programs,
    launcher: "/usr/bin/env",
    ip: "/usr/bin/env",
    caddy: "/usr/bin/env",
    tailscale: "/usr/bin/env",
    seawall: ["/usr/bin/env"] as const,
  };
  const { update } = input;
  return {
    ...input,
    system: { ...input.system, programs },
    ...(update === undefined
      ? {}
      : { update: { ...update, fetch: { ...update.fetch, command: ["/usr/bin/env"] } } }),
  };
}

test("systemdTarget renders the same bytes for the same plan, sorted, no path twice", () => {
  const one = systemdTarget.render(portableInput(planOf(3)));
  const two = systemdTarget.render(portableInput(planOf(3)));
  assert.deepEqual(one, two);
  const paths = one.map(({ path }) => path);
  assert.deepEqual(paths, [...new Set(paths)].toSorted());
});

test("systemdTarget prints no secret's value, phantom or token, and root's files alone are named for them", () => {
  const text = systemdTarget
    .render(portableInput(planOf(1)))
    .map(({ bytes }) => Buffer.from(bytes).toString("latin1"))
    .join("\n");
  assert.ok(!text.includes("sk-ant-api03"));
  assert.match(text, /EnvironmentFile=\/etc\/seawall\/current\/private\/bot0\/gateway\.env/);
});

test("systemdTarget gives credentials to the broker's unit alone", () => {
  for (const { path, bytes } of systemdTarget.render(portableInput(planOf(2)))) {
    const names = Buffer.from(bytes).toString().includes("LoadCredential");
    assert.equal(names, /^units\/seawall-broker-bot\d\.service$/.test(path), path);
  }
});

test("systemdTarget says which systemd brings what the wall can't go without, and leaves out other layers", () => {
  const plan = planOf(1);
  assert.throws(
    () => systemdTarget.render(portableInput(plan, 247)),
    (error) =>
      error instanceof TargetError &&
      error.code === "too-old" &&
      error.exitCode === 4 &&
      /systemd 247 has no PrivateIPC=/.test(error.message) &&
      /systemd 248 brings it/.test(error.hint ?? ""),
  );
  const old = systemdTarget.render(portableInput(plan, 248));
  assert.ok(
    !old.some(({ bytes }) => Buffer.from(bytes).toString().includes("RestrictFileSystems")),
  );
});

test("systemdTarget refuses a path that would mean something else in a unit", () => {
  const plan = planOf(1);
  const input = portableInput(plan);
  for (const bad of [
    "/opt/a b",
    "/opt/%h",
    "/opt/a:b",
    '/opt/"x"',
    "/opt/a\nExecStart=/bin/sh",
    "/opt/$X",
  ]) {
    const system = { ...input.system, programs: { ...input.system.programs, launcher: bad } };
    assert.throws(
      () => systemdTarget.render({ ...input, system }),
      (error) => error instanceof TargetError && error.code === "unprintable",
      bad,
    );
  }
});

test("names of users fit, and no two bots' names make one user or unit", () => {
  const long = "a".repeat(24);
  for (const bot of [long, `${long.slice(0, 23)}b`, "x", "broker-x", "x-broker"]) {
    for (const user of [botUser(bot), brokerUser(bot), gateUser(bot), browserUser(bot)]) {
      assert.match(user, /^[a-z_][a-z0-9_-]{0,30}$/);
    }
  }
  const bots = [
    long,
    `${long.slice(0, 23)}b`,
    "x",
    "broker-x",
    "x-broker",
    "gateway-x",
    "network-x",
    "gate-x",
    "web-x",
    "browser-x",
  ];
  const users = [...bots, "bridge"].flatMap((bot) => [
    botUser(bot),
    brokerUser(bot),
    gateUser(bot),
    browserUser(bot),
  ]);
  users.push(BRIDGE_USER);
  assert.equal(new Set(users).size, users.length);
  const units: string[] = [...bots, "bridge", "bridge-x"].flatMap((bot) => [
    ...(Object.values(botUnits(bot)) as string[]),
    ...(Object.values(browserUnits(bot)) as string[]),
    bridgeUnits().socket(bot),
  ]);
  units.push(bridgeUnits().service);
  assert.equal(new Set(units).size, units.length);
});

describe("systemd takes what systemdTarget prints", () => {
  const plan = planOf(3, 2);
  const exposed: Plan = {
    ...plan,
    bots: plan.bots.map((bot, index) => ({
      ...bot,
      expose: index === 0 ? { domain: `${bot.name}.example.com` } : { tailscale: true },
    })),
    autoUpdate: { calendar: "Sun 04:30", from: "registry", days: 7 },
  };

  test("systemd-analyze verify has nothing to say", { skip: lacks("systemd-analyze") }, () => {
    const { folder, units } = written(local(exposed));
    try {
      const verify = (files: readonly string[]): string =>
        spawnSync("systemd-analyze", ["verify", "--man=no", "--recursive-errors=no", ...files], {
          encoding: "utf8",
        })
          .stderr.split("\n")
          .filter((line) => line.includes("seawall"))
          .join("\n");
      assert.equal(verify(units), "");
      // Control: it speaks when something is wrong.
      const unit = units.find((path) => path.includes("gateway-bot0")) ?? "";
      writeFileSync(unit, `${readFileSync(unit, "utf8")}NoSuchThing=yes\n`);
      assert.match(verify([unit]), /NoSuchThing/);
    } finally {
      rmSync(folder, { recursive: true, force: true });
    }
  });

  test(
    "no unit waits for itself when the machine boots",
    { skip: lacks("systemd-analyze") },
    () => {
      const { folder } = written(local(plan));
      try {
        const units = join(folder, "units");
        const boot = join(units, "boot.target");
        writeFileSync(boot, "[Unit]\nWants=sockets.target basic.target seawall.target\n");
        const circles = (): string =>
          spawnSync("systemd-analyze", ["verify", "--man=no", boot], {
            encoding: "utf8",
            env: { PATH: process.env["PATH"] ?? "", SYSTEMD_UNIT_PATH: `${units}:` },
          }).stderr;
        assert.doesNotMatch(circles(), /cycle/);
        // Control: a socket that sockets.target waits for, and that waits for a service.
        const socket = join(units, botUnits("bot0").sockets);
        writeFileSync(socket, readFileSync(socket, "utf8").replace("DefaultDependencies=no\n", ""));
        assert.match(circles(), /cycle/);
      } finally {
        rmSync(folder, { recursive: true, force: true });
      }
    },
  );

  test("exposure is below what is promised", { skip: lacks("systemd-analyze") }, () => {
    const { folder, units } = written(portableInput(exposed));
    const limits: readonly (readonly [RegExp, number])[] = [
      // Root's, since a switch is: it makes users, units and namespaces.
      [/seawall-update\.service/, 100],
      [/seawall-gateway-/, 5],
      [/seawall-bridge\.service/, 2],
      [/seawall-browser-/, 8],
      [/seawall-gate-/, 11],
      [/seawall-broker-/, 12],
      [/./, 15],
    ];
    try {
      for (const unit of units.filter((path) => path.endsWith(".service"))) {
        const limit = limits.find(([pattern]) => pattern.test(unit))?.[1] ?? 0;
        const { status, stdout } = spawnSync(
          "systemd-analyze",
          ["security", "--offline=yes", "--no-pager", `--threshold=${limit}`, unit],
          { encoding: "utf8" },
        );
        assert.equal(status, 0, `${unit}: ${stdout.split("\n").slice(-3).join(" ")}`);
      }
    } finally {
      rmSync(folder, { recursive: true, force: true });
    }
  });

  test(
    "systemd-sysusers and systemd-tmpfiles make what is printed, below another root",
    {
      skip: lacks("systemd-sysusers") || (process.getuid?.() === 0 ? false : "needs root"),
    },
    () => {
      const { folder } = written(portableInput(plan));
      const root = mkdtempSync(join(tmpdir(), "seawall-root-"));
      try {
        mkdirSync(join(root, "etc"));
        const users = spawnSync(
          "systemd-sysusers",
          ["--root", root, join(folder, "sysusers.conf")],
          { encoding: "utf8" },
        );
        assert.equal(users.status, 0, users.stderr);
        const passwd = readFileSync(join(root, "etc/passwd"), "utf8");
        for (const { name } of plan.bots) {
          for (const user of [botUser(name), brokerUser(name), BRIDGE_USER]) {
            assert.match(
              passwd,
              new RegExp(`^${user}:x:\\d+:\\d+:Seawall [^:]*:[^:]*:/usr/sbin/nologin$`, "m"),
            );
          }
        }
        const files = spawnSync(
          "systemd-tmpfiles",
          ["--root", root, "--create", join(folder, "tmpfiles.conf")],
          { encoding: "utf8" },
        );
        assert.equal(files.status, 0, files.stderr);
        const { stdout } = spawnSync(
          "stat",
          ["-c", "%a", join(root, "var/lib/seawall/system/bots/bot0")],
          { encoding: "utf8" },
        );
        assert.equal(stdout.trim(), "700");
      } finally {
        rmSync(folder, { recursive: true, force: true });
        rmSync(root, { recursive: true, force: true });
      }
    },
  );
});
