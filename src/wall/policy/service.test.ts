import assert from "node:assert/strict";
import { spawn, spawnSync } from "node:child_process";
import { mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { test } from "node:test";
import { LAUNCHER } from "../testing/reachable.ts";
import { encodePolicy } from "./encode.ts";
import type { Operation } from "./Operation.ts";

function withPolicy<T>(
  operations: readonly Operation[],
  work: (file: string, folder: string) => T,
): T {
  const folder = mkdtempSync(join(tmpdir(), "seawall-policy-"));
  try {
    const file = join(folder, "policy");
    writeFileSync(file, encodePolicy(operations));
    return work(file, folder);
  } finally {
    rmSync(folder, { recursive: true, force: true });
  }
}

function print(script: string, environment: readonly string[] = []): Operation {
  return {
    op: "execute",
    once: false,
    path: "/bin/sh",
    arguments: ["/bin/sh", "-c", script],
    environment,
  };
}

test("seawall-launch --policy passes named variables on and no others; the policy's word comes first", () => {
  const operations: readonly Operation[] = [
    { op: "pass", names: ["ABSENT", "GIVEN", "SET"] },
    { op: "descriptors", keep: [] },
    print("env", ["SET=policy"]),
  ];
  withPolicy(operations, (file) => {
    const { stdout, status } = spawnSync(LAUNCHER, ["--policy", file], {
      encoding: "utf8",
      env: { GIVEN: "a b", SET: "ours", SECRET: "no" },
    });
    assert.equal(status, 0);
    assert.match(stdout, /^GIVEN=a b$/m);
    assert.match(stdout, /^SET=policy$/m);
    assert.doesNotMatch(stdout, /SECRET|ABSENT/);
  });
});

test("seawall-launch refuses a policy file that isn't there, both ways at once, and bad records", () => {
  const run = (...args: string[]) => spawnSync(LAUNCHER, args, { encoding: "utf8", env: {} });
  assert.equal(run("--policy", "/nonexistent").status, 126);
  withPolicy([print("true")], (file) => {
    assert.equal(run("--policy", file).status, 0);
    assert.equal(run("--policy", file, "--policy-fd", "3").status, 126);
  });
  for (const bad of [
    { op: "pass", names: ["A=B"] },
    { op: "pass", names: [""] },
    { op: "notify", descriptor: 2 },
    { op: "notify", descriptor: 1_000_000 },
  ] as const) {
    withPolicy([bad, print("true")], (file) => assert.equal(run("--policy", file).status, 126));
  }
});

test("seawall-launch refuses to go on without the notify socket it is told to connect", () => {
  withPolicy([{ op: "notify", descriptor: 5 }, print("true")], (file, folder) => {
    for (const env of [
      {},
      { NOTIFY_SOCKET: "relative" },
      { NOTIFY_SOCKET: join(folder, "none") },
      { NOTIFY_SOCKET: `/${"x".repeat(200)}` },
    ]) {
      const { status, stderr } = spawnSync(LAUNCHER, ["--policy", file], { encoding: "utf8", env });
      assert.equal(status, 126);
      assert.match(stderr, /^seawall-launch: notify: /);
    }
  });
});

test("what the launcher connected carries a service's word to whoever listens", async () => {
  // Node has no datagram sockets of this family, so socat's place is taken by systemd-notify's own reader.
  const folder = mkdtempSync(join(tmpdir(), "seawall-notify-"));
  try {
    const socket = join(folder, "notify");
    const reader = spawn("perl", [
      "-MSocket",
      "-e",
      `socket(S,PF_UNIX,SOCK_DGRAM,0);bind(S,sockaddr_un($ARGV[0]));$|=1;print "bound\\n";recv(S,$m,100,0);print $m;`,
      socket,
    ]);
    let said = "";
    reader.stdout.setEncoding("utf8").on("data", (text: string) => (said += text));
    await new Promise<void>((resolve) => reader.stdout.once("data", () => resolve()));
    const file = join(folder, "policy");
    writeFileSync(
      file,
      encodePolicy([
        { op: "notify", descriptor: 3 },
        { op: "descriptors", keep: [3] },
        print("printf READY=1 >&3"),
      ]),
    );
    const { status, stderr } = spawnSync(LAUNCHER, ["--policy", file], {
      encoding: "utf8",
      env: { NOTIFY_SOCKET: socket },
    });
    assert.equal(status, 0, stderr);
    await new Promise<void>((resolve) => reader.once("close", () => resolve()));
    assert.equal(said, "bound\nREADY=1");
  } finally {
    rmSync(folder, { recursive: true, force: true });
  }
});
