import { createHash } from "node:crypto";
import { mkdtempSync, readFileSync, writeFileSync } from "node:fs";
import { createServer } from "node:http";
import type { AddressInfo } from "node:net";
import { join } from "node:path";
import { pack } from "../../src/openclaw/testing/testRegistry.ts";

/**
 * Runs inside a machine: an npm registry with small programs in the place of OpenClaw, whose gateways
 * answer in no time and run what they are told or, of the versions named by the second argument, end at once. It offers the versions
 * that `versions.json` in the folder of the first argument has, with the time of each.
 */
const [folder = "", broken = ""] = process.argv.slice(2);
const work = mkdtempSync("/tmp/registry-");

const program = (version: string): string => `
import { spawnSync } from "node:child_process";
import { createServer } from "node:http";
const [command] = process.argv.slice(2);
if (command === "config") console.log('{"valid":true,"issues":[],"warnings":[]}');
else if (${JSON.stringify(broken)} === "${version}") process.exit(1);
else createServer((request, response) => {
  const { pathname, searchParams } = new URL(request.url, "http://localhost");
  if (pathname !== "/v1/run") return response.end("${version}");
  // What an agent's exec tool does: a real child behind the unit's wall.
  const [program, ...words] = searchParams.getAll("word");
  const { status, stdout, stderr, error } = spawnSync(program, words, { encoding: "utf8" });
  response.end(JSON.stringify({ status, stdout, stderr, code: error?.code }));
}).listen(18789, "127.0.0.1");
`;

const MANIFEST = { bin: { openclaw: "openclaw.mjs" }, engines: { node: ">=24" }, type: "module" };

const packed = new Map<string, Buffer>();
function tarball(version: string): Buffer {
  const known = packed.get(version);
  if (known !== undefined) return known;
  const made = pack(join(work, version), {
    name: "openclaw",
    version,
    manifest: MANIFEST,
    files: { "openclaw.mjs": program(version) },
  });
  packed.set(version, made);
  return made;
}

const server = createServer((request, response) => {
  const url = request.url ?? "";
  const version = /^\/openclaw\/-\/openclaw-(.+)\.tgz$/.exec(url)?.[1];
  const time = JSON.parse(readFileSync(join(folder, "versions.json"), "utf8")) as Record<
    string,
    string
  >;
  if (version !== undefined && Object.hasOwn(time, version)) {
    response.end(tarball(version));
    return;
  }
  if (url !== "/openclaw") {
    response.writeHead(404, { "content-type": "application/json" }).end('{"error":"not found"}');
    return;
  }
  const dist = (each: string): object => ({
    tarball: `http://${request.headers.host ?? ""}/openclaw/-/openclaw-${each}.tgz`,
    integrity: `sha512-${createHash("sha512").update(tarball(each)).digest("base64")}`,
  });
  const versions = Object.keys(time);
  response.setHeader("content-type", "application/json");
  response.end(
    JSON.stringify({
      name: "openclaw",
      "dist-tags": { latest: versions.at(-1) },
      versions: Object.fromEntries(
        versions.map((each) => [
          each,
          { name: "openclaw", version: each, ...MANIFEST, dist: dist(each) },
        ]),
      ),
      time,
    }),
  );
});
server.listen(0, "127.0.0.1", () => {
  const { port } = server.address() as AddressInfo;
  writeFileSync(join(folder, ".npmrc"), `registry=http://127.0.0.1:${port}/\n`);
  process.stdout.write("ready\n");
});
