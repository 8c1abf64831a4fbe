import assert from "node:assert/strict";
import { execFileSync, spawnSync } from "node:child_process";
import { chmodSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { test } from "node:test";
import { fileURLToPath } from "node:url";
import type { HostCapabilities } from "../HostCapabilities.ts";
import { lacking, probeSubject, temporaryFolder } from "../testing/harness.ts";
import { CONTAINER_RULES } from "../testing/containerRules.ts";
import { underFilter } from "../testing/underFilter.ts";
import { probeHost } from "./probeHost.ts";
import { readInterpreter } from "./readInterpreter.ts";

const FIXTURE = fileURLToPath(new URL("../testing/probe.ts", import.meta.url));
const here = await probeSubject();
const skip = lacking(here);

interface Report {
  readonly host: HostCapabilities;
  readonly refusal: {
    readonly code: unknown;
    readonly exit?: number;
    readonly hint?: string;
    readonly refusal?: string;
  };
  readonly listeners: readonly { readonly family: number }[];
}

function stateOf(report: Report, mechanism: string) {
  return report.host.mechanisms.find((one) => one.mechanism === mechanism);
}

test("probeHost() finds everything enforced where it is", { skip }, () => {
  const states = here.mechanisms.map(({ mechanism, state }) => [mechanism, state]);
  for (const mechanism of ["namespaces", "bubblewrap", "landlock", "seccomp"])
    assert.ok(states.some(([name, state]) => name === mechanism && state === "enforced"));
  assert.deepEqual(JSON.parse(JSON.stringify(here)), here);
});

test(
  "probeHost() sees that user namespaces are forbidden, and compileWall() refuses",
  {
    skip:
      skip ||
      (spawnSync("unshare", ["-Ur", "true"]).status === 0 ? false : "unshare(1) is missing"),
  },
  () => {
    // Inside a user namespace of its own, whose own limit is then set to none.
    const script = 'echo 0 > /proc/sys/user/max_user_namespaces && exec "$0" "$1"';
    const output = execFileSync("unshare", ["-Ur", "sh", "-c", script, process.execPath, FIXTURE], {
      encoding: "utf8",
      env: { ...process.env, SUBJECT: "self" },
    });
    const report = JSON.parse(output) as Report;
    assert.equal(report.host.namespaces.ok, false);
    assert.equal(stateOf(report, "namespaces")?.state, "missing");
    assert.equal(stateOf(report, "namespaces")?.remedy, "sysctl -w user.max_user_namespaces=15000");
    assert.equal(report.refusal.code, "user-namespaces");
    assert.equal(report.refusal.exit, 4);
    assert.equal(report.refusal.hint, "sysctl -w user.max_user_namespaces=15000");
  },
);

test(
  "probeHost() sees that there is no Landlock, which only the concession allows",
  { skip },
  async () => {
    const absent = [["landlock_create_ruleset", { errno: 38 }]] as const;
    const report = JSON.parse(await underFilter(absent, [FIXTURE])) as Report;
    assert.equal(report.host.landlock, 0);
    assert.equal(stateOf(report, "landlock")?.state, "missing");
    assert.deepEqual([report.refusal.code, report.refusal.exit], ["landlock", 4]);
    const conceded = JSON.parse(await underFilter(absent, [FIXTURE, "", "no-landlock"])) as Report;
    assert.equal(conceded.refusal.code, 0);
  },
);

test("probeHost() sees that there is no seccomp, and compileWall() refuses", { skip }, async () => {
  const report = JSON.parse(
    await underFilter([["seccomp", { errno: 38 }]], [FIXTURE, "", "no-landlock"]),
  ) as Report;
  assert.equal(stateOf(report, "seccomp")?.state, "missing");
  assert.deepEqual([report.refusal.code, report.refusal.exit], ["seccomp", 4]);
});

test("a host without IPv6 has IPv4 listeners only, and says so", { skip }, async () => {
  const six = [{ argument: 0, mask: 0xffffffff, anyOf: [10] }] as const;
  const rule = { clauses: [{ when: six, verdict: { errno: 97 } }], otherwise: "allow" } as const;
  const report = JSON.parse(await underFilter([["socket", rule]], [FIXTURE])) as Report;
  assert.equal(stateOf(report, "ipv6")?.state, "missing");
  assert.equal(report.refusal.code, 0);
  assert.deepEqual(
    report.listeners.map(({ family }) => family),
    [4, 4],
  );
});

test("probeHost() sees that bubblewrap is missing, too old or of no version", { skip }, (t) => {
  const folder = temporaryFolder(t);
  const probe = () =>
    JSON.parse(execFileSync(process.execPath, [FIXTURE, folder], { encoding: "utf8" })) as Report;
  const missing = probe();
  assert.equal(missing.host.bubblewrap, undefined);
  assert.deepEqual([missing.refusal.code, missing.refusal.exit], ["bubblewrap-missing", 4]);
  assert.match(missing.refusal.hint ?? "", /bubblewrap/u);
  for (const [version, recent] of [
    ["bubblewrap 0.6.1", false],
    ["bubblewrap 0.4.1", false],
    ["something else", false],
  ] as const) {
    writeFileSync(join(folder, "bwrap"), `#!/bin/sh\necho ${version}\n`);
    chmodSync(join(folder, "bwrap"), 0o755);
    const old = probe();
    assert.equal(old.host.bubblewrap?.recent, recent);
    assert.deepEqual([old.refusal.code, old.refusal.exit], ["bubblewrap-old", 4]);
  }
});

test("probeHost() sees that a bubblewrap of the right version doesn't work", { skip }, (t) => {
  const folder = temporaryFolder(t);
  // As on an Ubuntu whose AppArmor denies it the capabilities of its own namespace.
  const script = `#!/bin/sh
[ "$1" = --version ] && { echo bubblewrap 0.9.0; exit; }
echo "bwrap: loopback: Failed RTM_NEWADDR: Operation not permitted" >&2
exit 1
`;
  writeFileSync(join(folder, "bwrap"), script);
  chmodSync(join(folder, "bwrap"), 0o755);
  const output = execFileSync(process.execPath, [FIXTURE, folder], { encoding: "utf8" });
  const report = JSON.parse(output) as Report;
  assert.deepEqual([report.refusal.code, report.refusal.exit], ["user-namespaces", 4]);
  assert.match(stateOf(report, "namespaces")?.detail ?? "", /RTM_NEWADDR/u);
});

test("probeHost() throws when the launcher can't be run", async () => {
  await assert.rejects(probeHost({ launcher: "/nonexistent/seawall-launch" }), {
    code: "launcher",
    exitCode: 4,
  });
});

test("readInterpreter() reads what ld.so a program asks for, and nothing out of other files", (t) => {
  const folder = temporaryFolder(t);
  const found = readInterpreter(process.execPath);
  assert.ok(found === undefined || /^\/.*ld-/u.test(found), found);
  for (const [index, bytes] of [
    "",
    "#!/bin/sh\n",
    "\x7fELF",
    `\x7fELF\x02\x01${"\xff".repeat(80)}`,
  ].entries()) {
    const file = join(folder, String(index));
    writeFileSync(file, bytes, "latin1");
    assert.equal(readInterpreter(file), undefined);
  }
  assert.equal(readInterpreter(join(folder, "none")), undefined);
});

test(
  "in a container without user namespaces nothing starts; conceded, what is left is said",
  {
    skip,
  },
  async () => {
    const run = async (...concessions: string[]) =>
      JSON.parse(await underFilter(CONTAINER_RULES, [FIXTURE, "", ...concessions])) as Report;
    const report = await run();
    assert.equal(report.host.namespaces.ok, false);
    assert.equal(stateOf(report, "namespaces")?.state, "missing");
    assert.equal(stateOf(report, "execution")?.state, "missing");
    for (const mechanism of ["landlock", "seccomp"])
      assert.equal(stateOf(report, mechanism)?.state, "enforced", mechanism);
    assert.deepEqual([report.refusal.code, report.refusal.exit], ["user-namespaces", 4]);
    const conceded = await run("no-user-namespaces");
    assert.deepEqual([conceded.refusal.code, conceded.refusal.refusal], [0, undefined]);
  },
);
