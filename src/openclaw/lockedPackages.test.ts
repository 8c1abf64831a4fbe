import { deepEqual, ok, throws } from "node:assert/strict";
import { mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { test, type TestContext } from "node:test";
import { lockedPackages } from "./lockedPackages.ts";
import { latestPin, listPins, PLATFORMS, readPin } from "./Pin.ts";

const INTEGRITY = `sha512-${"A".repeat(86)}==`;

function lock(t: TestContext, packages: Record<string, object>): string {
  const folder = mkdtempSync(join(tmpdir(), "seawall-lock-"));
  t.after(() => rmSync(folder, { recursive: true, force: true }));
  writeFileSync(
    join(folder, "package-lock.json"),
    JSON.stringify({ lockfileVersion: 3, packages }),
  );
  return folder;
}

test("lockedPackages() keeps what is for the platform, as npm does", (t) => {
  const folder = lock(t, {
    "": { dependencies: {} },
    "node_modules/all": { integrity: INTEGRITY },
    "node_modules/linux": { integrity: INTEGRITY, os: ["linux", "darwin"] },
    "node_modules/mac": { integrity: INTEGRITY, os: ["darwin"] },
    "node_modules/not-windows": { integrity: INTEGRITY, os: ["!win32"] },
    "node_modules/not-linux": { integrity: INTEGRITY, os: ["!linux"] },
    "node_modules/arm": { integrity: INTEGRITY, cpu: ["arm64"], optional: true },
    "node_modules/musl": { integrity: INTEGRITY, os: ["linux"], libc: ["musl"] },
    "node_modules/all/node_modules/bundled": { inBundle: true },
  });
  const paths = (platform: (typeof PLATFORMS)[number]): string[] =>
    lockedPackages(folder, platform).map(({ path }) => path.replace("node_modules/", ""));
  deepEqual(paths("linux-x64"), ["all", "linux", "not-windows"]);
  deepEqual(paths("linux-arm64"), ["all", "linux", "not-windows", "arm"]);
});

test("lockedPackages() refuses a lock that says where to get something, or not what it is", (t) => {
  const bad: Record<string, object>[] = [
    { "node_modules/a": { integrity: INTEGRITY, resolved: "https://evil.example/a.tgz" } },
    { "node_modules/a": { integrity: "sha1-2jmj7l5rSw0yVb/vlWAYkK/YBwk=" } },
    { "node_modules/a": {} },
    { "node_modules/a": { link: true, integrity: INTEGRITY } },
    { "../a": { integrity: INTEGRITY } },
    { "node_modules/../../a": { integrity: INTEGRITY } },
  ];
  for (const packages of bad) {
    throws(() => lockedPackages(lock(t, packages), "linux-x64"), { code: "bad-pin" });
  }
});

test("lockedPackages() accepts every pin in the repository", () => {
  for (const version of listPins()) {
    const { folder } = readPin(version);
    for (const platform of PLATFORMS) ok(lockedPackages(folder, platform).length > 300);
  }
});

test("readPin() knows the latest pin's hashes, entry and Node range", () => {
  const pin = readPin(latestPin());
  deepEqual(Object.keys(pin.narHash), [...PLATFORMS]);
  ok(pin.narHash["linux-x64"] !== pin.narHash["linux-arm64"]);
  ok(pin.node.startsWith(">="));
});

test("readPin() tells a version without a pin from a damaged pin, and never leaves its folder", (t) => {
  throws(() => readPin("1.2.3"), { code: "no-pin", hint: "pin it with: seawall pin 1.2.3" });
  for (const version of ["", "latest", "../2026.9.6", "2026.9.6/../x", "1.2.3-..", "^1.2.3"]) {
    throws(() => readPin(version), { code: "no-pin" });
  }
  const pins = mkdtempSync(join(tmpdir(), "seawall-pins-"));
  t.after(() => rmSync(pins, { recursive: true, force: true }));
  writeFileSync(join(pins, "pin.json"), "{");
  throws(() => readPin("1.2.3", pins), { code: "no-pin" });
});
