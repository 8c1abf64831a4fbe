import assert from "node:assert/strict";
import { execFile } from "node:child_process";
import { X509Certificate } from "node:crypto";
import { once } from "node:events";
import {
  chmodSync,
  mkdirSync,
  mkdtempSync,
  readdirSync,
  readFileSync,
  rmSync,
  statSync,
  writeFileSync,
} from "node:fs";
import { createServer, get } from "node:https";
import type { AddressInfo } from "node:net";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { test, type TestContext } from "node:test";
import { inspect, promisify } from "node:util";
import { AuthorityError, ensureAuthority, issueLeaf, trustBundle } from "./index.ts";
import type { AuthorityErrorCode, Leaf } from "./index.ts";

const run = promisify(execFile);

function place(t: TestContext): string {
  const folder = mkdtempSync(join(tmpdir(), "seawall-authority-"));
  t.after(() => rmSync(folder, { recursive: true, force: true }));
  return folder;
}

const fails = (code: AuthorityErrorCode) => (error: unknown) => {
  assert(error instanceof AuthorityError, inspect(error));
  assert.equal(error.code, code, error.message);
  assert.doesNotMatch(inspect(error, { depth: 9 }), /PRIVATE|MIGH/);
  return true;
};

async function missing(command: string): Promise<string | false> {
  return run("sh", ["-c", `command -v ${command}`]).then(
    () => false,
    () => `${command} is missing`,
  );
}
const skipOpenssl = { skip: await missing("openssl") };
const skipCurl = { skip: await missing("curl") };

async function serve(t: TestContext, leaf: Leaf): Promise<number> {
  const server = createServer({ cert: leaf.chain, key: leaf.key }, (_, response) => {
    response.end("hello");
  });
  server.listen(0, "127.0.0.1");
  await once(server, "listening");
  t.after(() => server.close());
  return (server.address() as AddressInfo).port;
}

async function fetchWith(ca: string, port: number, servername: string): Promise<string> {
  const { promise, resolve, reject } = Promise.withResolvers<string>();
  const options = { host: "127.0.0.1", port, servername, ca, agent: false } as const;
  get(options, (response) => {
    response.setEncoding("utf8").on("data", resolve);
  }).on("error", reject);
  return promise;
}

test("ensureAuthority() makes one authority, and gives the same afterwards", async (t) => {
  const folder = join(place(t), "deep", "authority");
  const first = await ensureAuthority(folder);
  const second = await ensureAuthority(folder);
  assert.equal(first.caPem, second.caPem);
  assert.deepEqual(readdirSync(folder).toSorted(), ["ca.key", "ca.pem"]);
  assert.equal(statSync(folder).mode & 0o777, 0o700);
  assert.equal(statSync(join(folder, "ca.key")).mode & 0o777, 0o600);
  assert.equal(first.signingKey.extractable, false);
  assert.doesNotMatch(inspect(first, { depth: 9, showHidden: true }), /PRIVATE/);
});

test("ensureAuthority() ends with one authority when many make it at once", async (t) => {
  const folder = place(t);
  const code = `import { ensureAuthority } from ${JSON.stringify(new URL("./index.ts", import.meta.url).href)};
    const all = await Promise.all([1, 2, 3].map(() => ensureAuthority(${JSON.stringify(folder)})));
    for (const one of all) console.log(one.caPem);`;
  const runs = await Promise.all(
    [1, 2, 3].map(() => run(process.execPath, ["--input-type=module", "-e", code])),
  );
  const pems = runs.flatMap(({ stdout }) => stdout.split("\n\n")).map((pem) => pem.trim());
  assert.equal(new Set(pems.filter((pem) => pem !== "")).size, 1);
  assert.deepEqual(readdirSync(folder).toSorted(), ["ca.key", "ca.pem"]);
});

test("ensureAuthority() finishes a creation that was cut short after the key", async (t) => {
  const folder = place(t);
  await ensureAuthority(folder);
  const key = readFileSync(join(folder, "ca.key"), "utf8");
  rmSync(join(folder, "ca.pem"));
  writeFileSync(join(folder, ".ca.key.new-00"), "half a key");
  writeFileSync(join(folder, ".ca.pem.new-00"), "half a certificate");
  await ensureAuthority(folder);
  assert.equal(readFileSync(join(folder, "ca.key"), "utf8"), key);
  assert.deepEqual(readdirSync(folder).toSorted(), ["ca.key", "ca.pem"]);
});

const read = (from: string, name: string): string => readFileSync(join(from, name), "utf8");

test("ensureAuthority() refuses damaged files and leaves them alone", async (t) => {
  const [folder, other] = [place(t), place(t)];
  await ensureAuthority(folder);
  await ensureAuthority(other);
  const [key, pem] = [read(folder, "ca.key"), read(folder, "ca.pem")];
  const broken: [string, string][] = [
    ["ca.key", ""],
    ["ca.key", key.slice(0, 60)],
    ["ca.key", read(other, "ca.key")],
    ["ca.pem", ""],
    ["ca.pem", pem.slice(0, 200)],
    ["ca.pem", read(other, "ca.pem")],
    ["ca.pem", pem + read(other, "ca.pem")],
    ["ca.pem", key],
  ];
  for (const [name, text] of broken) {
    const good = read(folder, name);
    writeFileSync(join(folder, name), text);
    await assert.rejects(ensureAuthority(folder), fails("damaged"), `${name}: ${text}`);
    assert.equal(read(folder, name), text);
    writeFileSync(join(folder, name), good);
  }
  rmSync(join(folder, "ca.key"));
  await assert.rejects(ensureAuthority(folder), fails("damaged"));
  assert.deepEqual(readdirSync(folder), ["ca.pem"]);
});

test("ensureAuthority() refuses a leaf certificate in place of its own", async (t) => {
  const folder = place(t);
  const authority = await ensureAuthority(folder);
  const leaf = await issueLeaf(authority, ["a.example"]);
  writeFileSync(join(folder, "ca.pem"), leaf.chain);
  writeFileSync(join(folder, "ca.key"), leaf.key);
  await assert.rejects(ensureAuthority(folder), fails("damaged"));
});

test("ensureAuthority() refuses files and folders that others could use", async (t) => {
  const folder = place(t);
  await ensureAuthority(folder);
  const cases: [string, number, number][] = [
    ["ca.key", 0o640, 0o600],
    ["ca.key", 0o604, 0o600],
    ["ca.pem", 0o664, 0o644],
    [".", 0o770, 0o700],
  ];
  for (const [name, bad, good] of cases) {
    chmodSync(join(folder, name), bad);
    await assert.rejects(ensureAuthority(folder), fails("unsafe-mode"), name);
    chmodSync(join(folder, name), good);
  }
  await ensureAuthority(folder);
});

test("ensureAuthority() says disk when the folder can't be made", async (t) => {
  const file = join(place(t), "file");
  writeFileSync(file, "");
  await assert.rejects(ensureAuthority(join(file, "authority")), fails("disk"));
});

test("ensureAuthority() makes what openssl calls an authority", skipOpenssl, async (t) => {
  const folder = place(t);
  await ensureAuthority(folder);
  const { stdout } = await run("openssl", [
    "x509",
    "-noout",
    "-text",
    "-in",
    join(folder, "ca.pem"),
  ]);
  assert.match(stdout, /Subject: CN = Seawall deployment CA\n/);
  assert.match(stdout, /Basic Constraints: critical\s+CA:TRUE, pathlen:0\n/);
  assert.match(stdout, /Key Usage: critical\s+Certificate Sign\n/);
  assert.match(stdout, /Subject Key Identifier/);
  assert.match(stdout, /NIST CURVE: P-256/);
});

test("issueLeaf() makes what openssl verifies, for its names only", skipOpenssl, async (t) => {
  const folder = place(t);
  const authority = await ensureAuthority(folder);
  const leaf = await issueLeaf(authority, [
    "api.example.com",
    "API.example.com",
    "10.1.2.3",
    "fd00::1",
  ]);
  const file = join(folder, "leaf.pem");
  writeFileSync(file, leaf.chain);
  const verify = (...name: string[]): Promise<boolean> =>
    run("openssl", [
      "verify",
      "-x509_strict",
      "-purpose",
      "sslserver",
      "-CAfile",
      join(folder, "ca.pem"),
      ...name,
      file,
    ]).then(
      () => true,
      () => false,
    );
  assert(await verify());
  assert(await verify("-verify_hostname", "api.example.com"));
  assert(await verify("-verify_ip", "10.1.2.3"));
  assert(await verify("-verify_ip", "fd00::1"));
  assert(!(await verify("-verify_hostname", "example.com")));
  assert(!(await verify("-verify_ip", "10.1.2.4")));
  const { stdout } = await run("openssl", ["x509", "-noout", "-text", "-in", file]);
  assert.match(stdout, /TLS Web Server Authentication/);
  assert.match(stdout, /Authority Key Identifier/);
  assert.match(stdout, /CA:FALSE/);
});

test("what a machine made whose clock was months ahead is good when that was set right", async (t) => {
  t.mock.timers.enable({ apis: ["Date"], now: Date.now() + 200 * 24 * 3_600_000 });
  const folder = place(t);
  const authority = await ensureAuthority(folder);
  const leaf = await issueLeaf(authority, ["api.example.com"]);
  t.mock.timers.reset();
  assert.deepEqual((await ensureAuthority(folder)).caPem, authority.caPem);
  const file = join(place(t), "leaf.pem");
  writeFileSync(file, leaf.chain);
  const verify = ["verify", "-CAfile", join(folder, "ca.pem")];
  const { stdout } = await run("openssl", [...verify, file]);
  assert.match(stdout, /: OK/);
  // Control: openssl(1) looks at the time.
  const early = String(Date.UTC(1999, 0, 1) / 1000);
  await assert.rejects(run("openssl", [...verify, "-attime", early, file]), /not yet valid/);
});

test("issueLeaf() dates from long ago to thirty days on, inside the authority's time", async (t) => {
  const authority = await ensureAuthority(place(t));
  const before = Date.now();
  const leaf = await issueLeaf(authority, ["a.example"]);
  const certificate = new X509Certificate(leaf.chain);
  const HOUR = 3_600_000;
  assert(certificate.validFromDate.getTime() <= Date.now() - HOUR);
  assert(leaf.notAfter.getTime() >= before - 1000 + 30 * 24 * HOUR);
  assert.equal(certificate.validToDate.getTime(), leaf.notAfter.getTime());
  const long = await issueLeaf(authority, ["a.example"], { days: 100_000 });
  assert.equal(long.notAfter.getTime(), authority.notAfter.getTime());
});

test("issueLeaf() gives every certificate its own key and serial", async (t) => {
  const authority = await ensureAuthority(place(t));
  const leaves = await Promise.all([1, 2, 3, 4].map(() => issueLeaf(authority, ["a.example"])));
  const serials = leaves.map((leaf) => new X509Certificate(leaf.chain).serialNumber);
  assert.equal(new Set(serials).size, 4);
  for (const serial of serials) assert.match(serial, /^[4-7][0-9A-F]{31}$/);
  assert.equal(new Set(leaves.map((leaf) => leaf.key)).size, 4);
});

test("issueLeaf() refuses what is no name", async (t) => {
  const authority = await ensureAuthority(place(t));
  const bad = [
    "",
    " ",
    "a b",
    "a..b",
    "-a.example",
    "*.",
    "a.*.b",
    "[::1]",
    "fe80::1%lo",
    "256.1.1.1",
  ];
  for (const name of [
    ...bad,
    "ä.example",
    "a.example.",
    "a\0.example",
    `${"a".repeat(64)}.example`,
  ]) {
    await assert.rejects(issueLeaf(authority, [name]), fails("invalid-name"), name);
  }
  await assert.rejects(issueLeaf(authority, []), fails("invalid-name"));
});

test("a leaf serves Node's TLS under its names, and nobody without the authority", async (t) => {
  const authority = await ensureAuthority(place(t));
  const other = await ensureAuthority(place(t));
  const port = await serve(t, await issueLeaf(authority, ["api.example.com", "*.example.org"]));
  assert.equal(await fetchWith(authority.caPem, port, "api.example.com"), "hello");
  assert.equal(await fetchWith(authority.caPem, port, "x.example.org"), "hello");
  await assert.rejects(fetchWith(authority.caPem, port, "www.example.com"), /altnames/);
  await assert.rejects(fetchWith(other.caPem, port, "api.example.com"), {
    code: /VERIFY|SIGNATURE/,
  });
});

test("a leaf serves curl with a trust bundle, and not without", skipCurl, async (t) => {
  const folder = place(t);
  const authority = await ensureAuthority(folder);
  const other = await ensureAuthority(place(t));
  const port = await serve(t, await issueLeaf(authority, ["api.example.com", "127.0.0.1"]));
  const bundle = join(folder, "bundle.pem");
  writeFileSync(bundle, trustBundle(other.caPem.trim(), authority.caPem));
  const curl = (ca: string, url: string): Promise<{ stdout: string }> =>
    run("curl", [
      "-sS",
      "--cacert",
      ca,
      "--noproxy",
      "*",
      "--resolve",
      `api.example.com:${port}:127.0.0.1`,
      url,
    ]);
  assert.equal((await curl(bundle, `https://api.example.com:${port}/`)).stdout, "hello");
  assert.equal((await curl(bundle, `https://127.0.0.1:${port}/`)).stdout, "hello");
  writeFileSync(bundle, other.caPem);
  await assert.rejects(curl(bundle, `https://api.example.com:${port}/`), { code: 60 });
});

test("a leaf can't be used as an authority", skipOpenssl, async (t) => {
  const folder = place(t);
  const authority = await ensureAuthority(folder);
  const leaf = await issueLeaf(authority, ["a.example"]);
  const dir = join(folder, "forged");
  mkdirSync(dir);
  const at = (name: string, text?: string): string => {
    if (text !== undefined) writeFileSync(join(dir, name), text);
    return join(dir, name);
  };
  await run("openssl", [
    "req",
    "-new",
    "-newkey",
    "ec",
    "-pkeyopt",
    "ec_paramgen_curve:P-256",
    "-nodes",
    "-subj",
    "/CN=b.example",
    "-keyout",
    at("b.key"),
    "-out",
    at("b.csr"),
  ]);
  await run("openssl", [
    "x509",
    "-req",
    "-in",
    at("b.csr"),
    "-CA",
    at("leaf.pem", leaf.chain),
    "-CAkey",
    at("leaf.key", leaf.key),
    "-out",
    at("b.pem"),
  ]);
  await assert.rejects(
    run("openssl", [
      "verify",
      "-CAfile",
      join(folder, "ca.pem"),
      "-untrusted",
      at("leaf.pem"),
      at("b.pem"),
    ]),
    /invalid CA certificate/,
  );
});

const pem = (name: string): string =>
  `-----BEGIN CERTIFICATE-----\n${name}\n-----END CERTIFICATE-----`;

test("trustBundle() keeps all of the system's certificates, with or without a last line end", () => {
  const both = `${pem("AAAA")}\n${pem("BBBB")}\n`;
  assert.equal(trustBundle(pem("AAAA"), pem("BBBB")), both);
  assert.equal(trustBundle(`${pem("AAAA")}\n\n`, `${pem("BBBB")}\n`), both);
  assert.equal(trustBundle("", pem("AAAA")), `${pem("AAAA")}\n`);
});
