import assert from "node:assert/strict";
import { spawnSync } from "node:child_process";
import {
  chmodSync,
  chownSync,
  lchownSync,
  lstatSync,
  mkdirSync,
  readdirSync,
  readlinkSync,
  rmSync,
  symlinkSync,
} from "node:fs";
import { join } from "node:path";
import { test } from "node:test";
import { MARK, needs, run, StoreSetup } from "./testing/storeSetup.ts";

const root = process.geteuid?.() === 0;
const asRoot = { skip: root ? (false as const) : "giving files away takes root" };

test("fileStore.read() reads a file of ours, less one line end", async (t) => {
  const setup = new StoreSetup(t);
  const path = setup.write("a", `${MARK}\n`);
  assert.equal(await setup.read({ store: "file", path }), MARK);
  chmodSync(path, 0o400);
  assert.equal(await setup.read({ store: "file", path }), MARK);
});

test("fileStore.read() refuses what anybody else may read or write", async (t) => {
  const setup = new StoreSetup(t);
  const path = setup.write("a", MARK);
  for (const mode of [0o640, 0o604, 0o620, 0o602, 0o610, 0o601, 0o644]) {
    chmodSync(path, mode);
    await setup.fails({ store: "file", path }, "unsafe-mode", /others may/);
  }
});

test("fileStore.read() refuses a file of a bot's user", asRoot, async (t) => {
  const setup = new StoreSetup(t);
  const path = setup.write("a", MARK, 0o400);
  chownSync(path, 4242, 4242);
  await setup.fails({ store: "file", path }, "unsafe-mode", /belongs to uid 4242/);
});

test("fileStore.read() refuses a file where a bot could read it", async (t) => {
  const setup = new StoreSetup(t);
  mkdirSync(setup.at("bots"), { mode: 0o700 });
  const path = setup.write("bots/a", MARK, 0o400);
  const walled = new StoreSetup(t, { botReadable: [setup.at("bots")] });
  await walled.fails({ store: "file", path }, "bot-readable", /which a bot can read/);
  assert.equal(await setup.read({ store: "file", path }), MARK);
  // By another way to the same place, too.
  symlinkSync("bots", setup.at("elsewhere"));
  await walled.fails({ store: "file", path: setup.at("elsewhere/a") }, "bot-readable");
});

test(
  "fileStore.read() refuses a file in the Nix store, whoever may read it",
  needs("bwrap"),
  async () => {
    const room = JSON.stringify(new URL("openDirect.ts", import.meta.url).href);
    const code = `
      import { openDirect } from ${room};
      const error = await openDirect({ vault: {} }).read({ store: "file", path: "/nix/store/abc/x" }).catch((e) => e);
      console.log(error.code);`;
    // A root of its own, so that this machine gets no /nix.
    const binds = readdirSync("/")
      .map((name) => `/${name}`)
      .filter((path) => path !== "/nix")
      .flatMap((path) =>
        lstatSync(path).isSymbolicLink()
          ? ["--symlink", readlinkSync(path), path]
          : ["--bind", path, path],
      );
    const script =
      'mkdir -p /nix/store/abc; printf x > /nix/store/abc/x; chmod 400 /nix/store/abc/x; exec "$@"';
    const node = [process.execPath, "--input-type=module-typescript", "-e", code];
    const { stdout } = await run("bwrap", [
      ...binds,
      "--tmpfs",
      "/nix",
      "sh",
      "-c",
      script,
      "sh",
      ...node,
    ]);
    assert.equal(stdout.trim(), "bot-readable");
  },
);

test("fileStore.read() follows links as agenix makes them, and the turn to the next generation", async (t) => {
  const setup = new StoreSetup(t);
  for (const generation of ["1", "2"]) {
    mkdirSync(join(setup.at("agenix.d"), generation), { recursive: true, mode: 0o751 });
    setup.write(`agenix.d/${generation}/key`, `${MARK}-${generation}`, 0o400);
  }
  symlinkSync(setup.at("agenix.d/1"), setup.at("agenix"));
  const source = { store: "file", path: setup.at("agenix/key") } as const;
  assert.equal(await setup.read(source), `${MARK}-1`);
  rmSync(setup.at("agenix"));
  symlinkSync("agenix.d/2", setup.at("agenix"));
  assert.equal(await setup.read(source), `${MARK}-2`);
});

test("fileStore.read() refuses a link of somebody else, and a circle", asRoot, async (t) => {
  const setup = new StoreSetup(t);
  setup.write("a", MARK);
  symlinkSync("a", setup.at("link"));
  const source = { store: "file", path: setup.at("link") } as const;
  assert.equal(await setup.read(source), MARK);
  lchownSync(setup.at("link"), 4242, 4242);
  await setup.fails(source, "unsafe-link", /uid 4242/);
  symlinkSync("round", setup.at("round"));
  await setup.fails({ store: "file", path: setup.at("round") }, "unsafe-link", /circle/);
});

test("fileStore.read() refuses a folder on the way in which others could exchange the file", async (t) => {
  const setup = new StoreSetup(t);
  mkdirSync(setup.at("open"));
  const path = setup.write("open/a", MARK);
  chmodSync(setup.at("open"), 0o777);
  await setup.fails({ store: "file", path }, "unsafe-mode", /others could exchange it/);
  // Behind a link as well; a sticky folder lets only the owner exchange an entry.
  symlinkSync("open/a", setup.at("link"));
  await setup.fails({ store: "file", path: setup.at("link") }, "unsafe-mode");
  chmodSync(setup.at("open"), 0o1777);
  assert.equal(await setup.read({ store: "file", path }), MARK);
  if (!root) return;
  chmodSync(setup.at("open"), 0o755);
  chownSync(setup.at("open"), 4242, 4242);
  await setup.fails({ store: "file", path }, "unsafe-mode");
});

test("fileStore.read() tells missing, empty, oversized, binary and irregular files apart", async (t) => {
  const setup = new StoreSetup(t);
  const at = (path: string) => ({ store: "file", path }) as const;
  await setup.fails(at(setup.at("nothing")), "missing");
  await setup.fails(at(join(setup.write("a", MARK), "below")), "missing");
  await setup.fails(at(setup.write("empty", "")), "empty-value");
  await setup.fails(at(setup.write("newline", "\n")), "empty-value");
  await setup.fails(at(setup.write("big", MARK.repeat(500_000))), "oversized-value");
  await setup.fails(at(setup.write("nul", `${MARK}\0`)), "invalid-value");
  await setup.fails(at(setup.write("binary", Buffer.of(0xff, 0xfe))), "invalid-value");
  await setup.fails(at(setup.folder), "unsafe-mode");
  spawnSync("mkfifo", ["-m", "600", setup.at("fifo")]);
  await setup.fails(at(setup.at("fifo")), "unsafe-mode", /not a regular file/);
  await setup.fails(at("/dev/zero"), "unsafe-mode");
});
