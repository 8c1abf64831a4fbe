import assert from "node:assert/strict";
import { mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { test, type TestContext } from "node:test";
import * as fc from "fast-check";
import { machOLibraries, readMachO, type MachO } from "./readMachO.ts";

/** A file as <mach-o/loader.h> has it. */
function machO(
  commands: readonly (readonly [kind: number, text: string])[],
  cpu = 0x0100000c,
): Buffer {
  const body = commands.map(([kind, text]) => {
    const name = kind === 0x8000001c ? 12 : 24;
    const command = Buffer.alloc((name + text.length + 8) & ~7);
    command.writeUInt32LE(kind, 0);
    command.writeUInt32LE(command.length, 4);
    command.writeUInt32LE(name, 8);
    command.write(text, name);
    return command;
  });
  const head = Buffer.alloc(32);
  head.writeUInt32LE(0xfeedfacf, 0);
  head.writeUInt32LE(cpu, 4);
  head.writeUInt32LE(body.length, 16);
  head.writeUInt32LE(Buffer.concat(body).length, 20);
  return Buffer.concat([head, ...body]);
}

function universal(parts: readonly (readonly [cpu: number, bytes: Buffer])[]): Buffer {
  const head = Buffer.alloc(8 + 20 * parts.length);
  head.writeUInt32BE(0xcafebabe, 0);
  head.writeUInt32BE(parts.length, 4);
  let offset = head.length;
  for (const [index, [cpu, bytes]] of parts.entries()) {
    head.writeUInt32BE(cpu, 8 + index * 20);
    head.writeUInt32BE(offset, 8 + index * 20 + 8);
    head.writeUInt32BE(bytes.length, 8 + index * 20 + 12);
    offset += bytes.length;
  }
  return Buffer.concat([head, ...parts.map(([, bytes]) => bytes)]);
}

function file(t: TestContext): (bytes: Uint8Array) => string {
  const folder = mkdtempSync(join(tmpdir(), "seawall-macho-"));
  t.after(() => rmSync(folder, { recursive: true }));
  return (bytes) => {
    const path = join(folder, "file");
    writeFileSync(path, bytes);
    return path;
  };
}

test("readMachO() reads what a file needs, and of a universal one this processor's part", (t) => {
  const at = file(t);
  const one = machO([
    [0xc, "/usr/lib/libSystem.B.dylib"],
    [0x19, "__TEXT"],
    [0x80000018, "@rpath/libuv.1.dylib"],
    [0x8000001c, "@loader_path/../lib"],
  ]);
  const read = {
    libraries: ["/usr/lib/libSystem.B.dylib", "@rpath/libuv.1.dylib"],
    rpaths: ["@loader_path/../lib"],
  };
  assert.deepEqual(readMachO(at(one), "arm64"), read);
  const both = universal([
    [0x01000007, machO([[0xc, "/x64"]])],
    [0x0100000c, one],
  ]);
  assert.deepEqual(readMachO(at(both), "arm64"), read);
  assert.deepEqual(readMachO(at(both), "x64"), { libraries: ["/x64"], rpaths: [] });
  assert.equal(readMachO(at(universal([[7, one]])), "arm64"), undefined);
});

test("readMachO() takes anything for what it is, and ends", (t) => {
  const at = file(t);
  assert.equal(readMachO(process.execPath), undefined);
  const whole = universal([
    [
      0x0100000c,
      machO([
        [0xc, "/a"],
        [0x8000001c, "/b"],
      ]),
    ],
  ]);
  fc.assert(
    fc.property(
      fc.nat(whole.length),
      fc.array(fc.tuple(fc.nat(whole.length - 1), fc.nat(255)), { maxLength: 6 }),
      (length, changes) => {
        const bytes = Buffer.from(whole);
        for (const [place, value] of changes) bytes[place] = value;
        readMachO(at(bytes.subarray(0, length)), "arm64");
      },
    ),
    { numRuns: 300, seed: 20261127 },
  );
});

test("machOLibraries() follows each to what it needs, and leaves out the system's", () => {
  const images: Readonly<Record<string, MachO>> = {
    "/opt/node/bin/node": {
      libraries: [
        "/usr/lib/libSystem.B.dylib",
        "@rpath/libnode.dylib",
        "/opt/icu/lib/libicu.dylib",
      ],
      rpaths: ["/nowhere", "@executable_path/../lib"],
    },
    "/opt/node/lib/libnode.dylib": {
      libraries: ["@loader_path/libuv.dylib", "@rpath/libz.dylib"],
      rpaths: [],
    },
    "/opt/node/lib/libuv.dylib": { libraries: ["@rpath/libnode.dylib"], rpaths: [] },
    "/opt/node/lib/libz.dylib": { libraries: [], rpaths: [] },
    "/opt/icu/lib/libicu.dylib": { libraries: ["@loader_path/gone.dylib"], rpaths: [] },
  };
  const found = machOLibraries(["/opt/node/bin/node"], {
    exists: (path) => path in images,
    load: (path) => images[path],
  });
  assert.deepEqual(found, Object.keys(images).slice(1).toSorted());
});
