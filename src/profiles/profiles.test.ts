import assert from "node:assert/strict";
import { chmodSync, mkdirSync, mkdtempSync, rmSync, symlinkSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { test, type TestContext } from "node:test";
import * as fc from "fast-check";
import {
  builtInProfiles,
  checkProfile,
  decideConnect,
  decideExec,
  decideFile,
  emptyProfile,
  expandPath,
  findBuiltIn,
  findProfile,
  loadProfile,
  makePolicy,
  mergeProfiles,
  ownProfiles,
  profileText,
  readSize,
  saidBy,
  type Origin,
  type Rulebook,
} from "./index.ts";

const PLACE = { home: "/home/me", workdir: "/home/me/project", uid: 1000, env: {} };
const SOURCE = { kind: "file", file: "/p.json" } as const;

function folderOf(t: TestContext, files: Readonly<Record<string, unknown>>): string {
  const folder = mkdtempSync(join(tmpdir(), "seawall-profiles-"));
  t.after(() => rmSync(folder, { recursive: true, force: true }));
  for (const [name, content] of Object.entries(files)) {
    const text = typeof content === "string" ? content : JSON.stringify(content);
    writeFileSync(join(folder, name), text, { mode: 0o600 });
  }
  return folder;
}

test("built-in profiles have no fault, and load with all they extend", async (t) => {
  const folder = folderOf(t, {});
  for (const name of builtInProfiles.keys()) {
    assert.deepEqual(checkProfile(builtInProfiles.get(name), { name, source: SOURCE }).faults, []);
    const { profile, chain } = await loadProfile(name, folder);
    assert.equal(chain.at(-1)?.name, name);
    assert.doesNotThrow(() => makePolicy(profile, PLACE));
  }
});

test("the profile that nono's documentation gives for OpenClaw loads as it is", async (t) => {
  const folder = folderOf(t, {
    "openclaw-strict.json": {
      meta: { name: "openclaw-strict", version: "1.0.0", description: "read-only config" },
      filesystem: { allow: ["$WORKDIR"], read: ["$HOME/.openclaw", "$HOME/.config/openclaw"] },
      network: { block: false },
      env_credentials: {
        telegram_bot_token: "TELEGRAM_BOT_TOKEN",
        openai_api_key: "OPENAI_API_KEY",
      },
    },
  });
  const { profile } = await loadProfile("openclaw-strict", folder);
  assert.deepEqual(profile.source, { kind: "file", file: join(folder, "openclaw-strict.json") });
  const policy = makePolicy(profile, PLACE);
  assert.deepEqual(
    policy.paths.map(({ path, read, write }) => [path, read, write]),
    [
      ["/home/me/project", true, true],
      ["/home/me/.openclaw", true, false],
      ["/home/me/.config/openclaw", true, false],
    ],
  );
  assert.deepEqual(
    policy.environmentCredentials.map(({ value }) => value),
    [
      { secret: "telegram_bot_token", variable: "TELEGRAM_BOT_TOKEN" },
      { secret: "openai_api_key", variable: "OPENAI_API_KEY" },
    ],
  );
});

test("checkProfile() takes every documented key of nono's format that it honours", () => {
  const { profile, faults } = checkProfile(
    {
      $schema: "./x.json",
      extends: ["node", "shell"],
      meta: { name: "x", version: "1", description: "d", author: "a" },
      interactive: true,
      workdir: { access: "write" },
      filesystem: {
        allow: ["/a"],
        read: ["/b"],
        write: ["/c"],
        allow_file: ["/d"],
        read_file: ["/e"],
        write_file: ["/f"],
        deny: ["/a/x"],
        bypass_protection: ["~/.ssh"],
        ignore: ["/g"],
      },
      network: {
        block: true,
        allow_domain: ["a.example.com"],
        credentials: ["openai"],
        listen_port: [18789],
        custom_credentials: {
          one: { upstream: "https://api.example.com", credential_key: "one_key" },
          two: {
            upstream: "https://b.example.com",
            inject_mode: "query_param",
            query_param_name: "key",
          },
          three: {
            upstream: "https://c.example.com",
            inject_mode: "url_path",
            path_pattern: "/bot{}/",
          },
          four: {
            upstream: "https://d.example.com",
            inject_header: "X-Key",
            credential_format: "{}",
            endpoint_rules: [{ method: "GET", path: "/v1/**" }],
          },
        },
      },
      env_credentials: { a_key: "A_KEY" },
      secrets: { b_key: "B_KEY" },
      environment: { allow_vars: ["A", "B_*"] },
    },
    { name: "x", source: SOURCE },
  );
  assert.deepEqual(faults, []);
  assert.deepEqual(
    profile.network.custom.map(({ value }) => [value.name, value.secret, value.place, value.allow]),
    [
      ["one", "one_key", { header: "Authorization", prefix: "Bearer " }, ["* /**"]],
      ["two", "two", { query: "key" }, ["* /**"]],
      ["three", "three", { path: "/bot{secret}" }, ["* /**"]],
      ["four", "four", { header: "X-Key", prefix: "" }, ["GET /v1/**"]],
    ],
  );
  assert.equal(profile.environmentCredentials.length, 2);
});

test("checkProfile() reports whatever can't be honoured, with its path, and skips nothing", () => {
  const wrong: readonly (readonly [unknown, string])[] = [
    [[], ""],
    ["text", ""],
    [{ groups: { include: [] } }, "groups"],
    [{ security: { groups: [] } }, "security"],
    [{ commands: { deny: ["rm"] } }, "commands"],
    [{ hooks: {} }, "hooks"],
    [{ rollback: {} }, "rollback"],
    [{ binary: "/bin/x" }, "binary"],
    [{ allow_gpu: true }, "allow_gpu"],
    [{ filesystem: { unix_socket: ["/run/x"] } }, "filesystem.unix_socket"],
    [{ filesystem: { allow: "/a" } }, "filesystem.allow"],
    [{ filesystem: { allow: ["relative"] } }, "filesystem.allow.0"],
    [{ filesystem: { allow: [1] } }, "filesystem.allow.0"],
    [{ filesystem: { raed: [] } }, "filesystem.raed"],
    [{ network: { network_profile: null } }, "network.network_profile"],
    [{ network: { allow_domain: ["*.example.com"] } }, "network.allow_domain.0"],
    [{ network: { allow_domain: ["10.0.0.1"] } }, "network.allow_domain.0"],
    [{ network: { allow_domain: [{ domain: "a.example.com" }] } }, "network.allow_domain.0"],
    [{ network: { listen_port: [0] } }, "network.listen_port.0"],
    [{ network: { block: "yes" } }, "network.block"],
    [
      { network: { custom_credentials: { x: { upstream: "ftp://" } } } },
      "network.custom_credentials.x.upstream",
    ],
    [
      {
        network: {
          custom_credentials: {
            x: { upstream: "https://a.example.com", credential_format: "{} y" },
          },
        },
      },
      "network.custom_credentials.x.credential_format",
    ],
    [{ env_credentials: { "op://vault/item": "X" } }, "env_credentials.op://vault/item"],
    [{ env_credentials: { a: "not a variable" } }, "env_credentials.a"],
    [{ workdir: { access: "all" } }, "workdir.access"],
    [{ extends: "../x" }, "extends"],
    [{ exec: { allow: ["a b"] } }, "exec.allow.0"],
    [{ environment: { set: { A: 1 } } }, "environment.set.A"],
    [{ limits: { memory: "much" } }, "limits.memory"],
    [{ limits: { processes: 1.5 } }, "limits.processes"],
    [{ limits: { openFiles: "1024" } }, "limits.openFiles"],
    [{ limits: { fileSize: -1 } }, "limits.fileSize"],
    [{ limits: { open_files: 1 } }, "limits.open_files"],
  ];
  for (const [value, path] of wrong) {
    const { faults } = checkProfile(value, { name: "x", source: SOURCE });
    assert.equal(faults[0]?.path.join("."), path, JSON.stringify(value));
  }
});

test("checkProfile() never throws, whatever a file holds", () => {
  fc.assert(
    fc.property(fc.jsonValue(), (value) => {
      checkProfile(value, { name: "x", source: SOURCE });
      checkProfile(
        { filesystem: value, network: value, exec: value },
        { name: "x", source: SOURCE },
      );
    }),
  );
});

test("findProfile() says where a file is wrong, in lines and columns, and reads comments", async (t) => {
  const folder = folderOf(t, {
    "wrong.json": '{\n  "filesystem": {\n    "raed": []\n  }\n}\n',
    "broken.json": '{\n  "filesystem": {\n    "read": [}\n',
    "twice.json": '{ "extends": "node",\n  "extends": "shell" }',
    "comment.jsonc": '{ // why\n  "filesystem": { "read": ["/a",] } }',
    "empty.json": "",
  });
  const fault = async (name: string): Promise<unknown> => {
    try {
      await findProfile(name, folder);
      return undefined;
    } catch (error) {
      const { faults } = error as { faults: readonly { line: number; column: number }[] };
      return faults.map(({ line, column }) => [line, column]);
    }
  };
  assert.deepEqual(await fault("wrong"), [[3, 5]]);
  assert.deepEqual(await fault("broken"), [[3, 14]]);
  assert.deepEqual(await fault("twice"), [[2, 3]]);
  assert.deepEqual(await fault("empty"), [[1, 1]]);
  assert.equal((await findProfile("comment", folder)).filesystem.read[0]?.value, "/a");
});

test("findProfile() refuses names with path tricks, files that others may write, and two of one name", async (t) => {
  const folder = folderOf(t, { "a.json": {}, "a.jsonc": {}, "open.json": {}, "ok.json": {} });
  chmodSync(join(folder, "open.json"), 0o666);
  mkdirSync(join(folder, "folder.json"));
  symlinkSync("/nonexistent", join(folder, "dangling.json"));
  const code = (name: string) =>
    findProfile(name, folder).then(
      () => "found",
      (error: unknown) => (error as { code: string }).code,
    );
  assert.equal(await code("ok"), "found");
  assert.equal(await code(join(folder, "ok.json")), "found");
  for (const name of ["..", ".", "", "a\0b", "-x", "a b", "ok.json", "x".repeat(80)])
    assert.equal(await code(name), "profile-name", name);
  assert.equal(await code("a"), "profile-twice");
  assert.equal(await code("open"), "unsafe-profile");
  assert.equal(await code("folder"), "unreadable-profile");
  assert.equal(await code("dangling"), "no-profile");
  assert.equal(await code("/etc"), "unreadable-profile");
  assert.deepEqual(ownProfiles(folder), ["a", "dangling", "folder", "ok", "open"]);
});

test("loadProfile() merges what is extended, and finds circles", async (t) => {
  const folder = folderOf(t, {
    "one.json": { extends: "two", filesystem: { read: ["/one"] }, network: { block: false } },
    "two.json": { extends: "node", filesystem: { read: ["/two"] }, network: { block: true } },
    "loop.json": { extends: "pool" },
    "pool.json": { extends: "loop" },
    "self.json": { extends: "self" },
    "node.json": { extends: "node", filesystem: { read: ["/mine"] } },
    "lost.json": { extends: "nowhere" },
  });
  const { profile, chain } = await loadProfile("one", folder);
  assert.deepEqual(
    profile.filesystem.read.map(({ value }) => value),
    ["/mine", "/two", "/one"],
  );
  assert.equal(profile.network.block?.value, false);
  assert.deepEqual(
    chain.map(({ name, source }) => [name, source.kind]),
    [
      ["node", "built-in"],
      ["node", "file"],
      ["two", "file"],
      ["one", "file"],
    ],
  );
  await assert.rejects(loadProfile("loop", folder), {
    code: "profile-loop",
    message: /loop -> pool -> loop/,
  });
  await assert.rejects(loadProfile("self", folder), { code: "no-profile" });
  await assert.rejects(loadProfile("lost", folder), { code: "no-profile" });
});

test("mergeProfiles() never loses a rule of either", () => {
  const [one, other] = [findBuiltIn("shell"), findBuiltIn("openclaw-strict")];
  assert.ok(one !== undefined && other !== undefined);
  const keys = (profile: typeof one) => saidBy(profile).map(({ key, value }) => `${key} ${value}`);
  const merged = keys(mergeProfiles(one, other));
  for (const line of [...keys(one).filter((each) => !each.startsWith("workdir")), ...keys(other)])
    assert.ok(merged.includes(line), line);
});

test("profileText() gives a profile that says what the flags said", () => {
  const flags = {
    ...emptyProfile("command line"),
    filesystem: {
      ...emptyProfile("x").filesystem,
      read: [{ value: "./data", origin: { kind: "flag", flag: "--read" } as Origin }],
    },
  };
  const text = profileText("mine", { profile: "node", flags, workdir: "/w" });
  assert.deepEqual(JSON.parse(text), {
    extends: "node",
    meta: { name: "mine" },
    filesystem: { read: ["/w/data"] },
  });
});

test("expandPath() puts in what it knows and nothing else", () => {
  const paths: readonly (readonly [string, string | undefined])[] = [
    ["~", "/home/me"],
    ["~/a/../b//", "/home/me/b"],
    ["$HOME/.x", "/home/me/.x"],
    ["${WORKDIR}/y", "/home/me/project/y"],
    ["$XDG_CONFIG_HOME/z", "/home/me/.config/z"],
    ["$TMPDIR/openclaw-$UID", "/tmp/openclaw-1000"],
    ["./a", "/home/me/project/a"],
    ["/a/./b/../../c", "/c"],
    ["/../..", "/"],
    ["$SECRET/x", undefined],
    ["~other/x", "/home/me/project/~other/x"],
    ["/a\0b", undefined],
  ];
  for (const [path, expected] of paths) assert.equal(expandPath(path, PLACE), expected, path);
});

test("makePolicy() doesn't take a home or the root for a working folder without being told so", () => {
  const node = findBuiltIn("node") ?? emptyProfile("x");
  assert.deepEqual(makePolicy(node, { ...PLACE, workdir: "/home/me" }).paths, []);
  assert.deepEqual(makePolicy(node, { ...PLACE, workdir: "/" }).paths, []);
  assert.equal(makePolicy(node, PLACE).paths[0]?.path, "/home/me/project");
  const told = {
    ...node,
    workdir: { value: "read", origin: { kind: "flag", flag: "--allow-cwd" } },
  } as const;
  assert.equal(makePolicy(told, { ...PLACE, workdir: "/home/me" }).paths.length, 1);
  assert.throws(() => makePolicy(told, { ...PLACE, workdir: "/" }), { code: "bad-path" });
});

test("readSize() reads bytes and units, and nothing else", () => {
  assert.deepEqual(["2G", "512M", "1k", 4096, "4096"].map(readSize), [
    2 ** 31,
    2 ** 29,
    1024,
    4096,
    4096,
  ]);
  for (const text of ["", "0", "-1", "1.5G", "G", "1GB", 0, -1, null, {}, "9".repeat(20)])
    assert.equal(readSize(text), undefined, JSON.stringify(text));
});

const RULE: Origin = { kind: "flag", flag: "--x" };
const BOOK: Rulebook = {
  places: [
    { path: "/a", read: true, write: true, origin: RULE },
    { path: "/b", read: true, write: false, origin: RULE },
    { path: "/a/hidden/shown", read: true, write: false, origin: RULE },
  ],
  exceptions: [
    { path: "/a/hidden", access: "hidden", absent: "seal", origin: RULE },
    { path: "/a/fixed", access: "read-only", absent: "seal", origin: RULE },
  ],
  programs: [{ path: "/usr/bin/awk", real: "/usr/bin/mawk", origin: RULE }],
  hosts: [{ name: "a.example.com", port: 443, how: "passed through", origin: RULE }],
  deniedHosts: [{ name: "B.example.com", origin: RULE }],
};

test("decideFile() lets exceptions win, and what was granted inside of them", () => {
  const cases: readonly (readonly ["read" | "write", string, boolean])[] = [
    ["read", "/a", true],
    ["write", "/a/x", true],
    ["read", "/ab", false],
    ["write", "/b/x", false],
    ["read", "/a/hidden", false],
    ["write", "/a/hidden/x", false],
    ["read", "/a/hidden/shown/x", true],
    ["read", "/a/hiddenx", true],
    ["read", "/a/fixed", true],
    ["write", "/a/fixed", false],
    ["read", "/", false],
  ];
  for (const [act, path, allowed] of cases)
    assert.equal(decideFile(BOOK, act, path).allowed, allowed, `${act} ${path}`);
  assert.equal(decideFile(BOOK, "read", "/c d").flag, "--read '/c d'");
  assert.equal(decideFile(BOOK, "write", "/b/x").flag, "--allow /b/x");
});

test("decideExec() and decideConnect() go by what is granted", () => {
  for (const name of ["awk", "/usr/bin/awk", "/usr/bin/mawk"])
    assert.equal(decideExec(BOOK, name).allowed, true, name);
  for (const name of ["mawk", "/bin/awk", "sh"])
    assert.equal(decideExec(BOOK, name).allowed, false, name);
  assert.equal(decideConnect(BOOK, "A.EXAMPLE.COM").allowed, true);
  assert.equal(decideConnect(BOOK, "a.example.com", 80).allowed, false);
  assert.equal(decideConnect(BOOK, "b.example.com").allowed, false);
  assert.equal(decideConnect(BOOK, "c.example.com").flag, "--allow-domain c.example.com");
  assert.equal(decideConnect(BOOK, "10.0.0.1").flag, undefined);
  assert.equal(decideConnect({ ...BOOK, blocked: RULE }, "a.example.com").allowed, false);
});
