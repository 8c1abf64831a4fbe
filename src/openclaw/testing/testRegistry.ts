import { execFileSync } from "node:child_process";
import { createHash } from "node:crypto";
import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { createServer } from "node:http";
import type { AddressInfo } from "node:net";
import { tmpdir } from "node:os";
import { join } from "node:path";
import type { TestContext } from "node:test";
import { gzipSync } from "node:zlib";

export interface TestPackage {
  readonly name: string;
  readonly version: string;
  readonly manifest?: object;
  readonly files: Readonly<Record<string, string>>;
  /** When it was released, in ISO 8601. */
  readonly time?: string;
}

export interface TestRegistry {
  /** Names of packages whose tarballs are answered with 404 from now on. */
  readonly withheld: Set<string>;
  /** Called when a tarball is asked for; the answer waits for what it returns. */
  onTarball: (name: string) => Promise<void> | void;
  /** How many tarballs were asked for. */
  downloads: number;
}

/**
 * An npm registry on loopback with a few packages of our own, set as npm's registry with a cache of
 * its own until the test ends. Much of what can go wrong with a registry can be done to it.
 */
export async function testRegistry(
  t: TestContext,
  packages: readonly TestPackage[],
): Promise<TestRegistry> {
  const folder = mkdtempSync(join(tmpdir(), "seawall-registry-"));
  const registry: TestRegistry = { withheld: new Set(), onTarball: () => undefined, downloads: 0 };
  const tarballs = new Map(packages.map((item) => [item.name, pack(folder, item)]));
  const server = createServer((request, response) => {
    const [, name = "", tarball] = /^\/([^/]+)(\/-\/.+\.tgz)?$/.exec(request.url ?? "") ?? [];
    const item = packages.find((candidate) => candidate.name === name);
    const bytes = tarballs.get(name);
    const missing = item === undefined || bytes === undefined;
    if (missing || (tarball !== undefined && registry.withheld.has(name))) {
      response.writeHead(404, { "content-type": "application/json" }).end('{"error":"not found"}');
    } else if (tarball === undefined) {
      const address = `http://${request.headers.host ?? ""}`;
      response.setHeader("content-type", "application/json");
      response.end(JSON.stringify(packument(item, bytes, address)));
    } else {
      registry.downloads++;
      void Promise.resolve(registry.onTarball(name)).then(() => response.end(bytes));
    }
  });
  await new Promise<void>((resolve) => server.listen(0, "127.0.0.1", resolve));
  const { port } = server.address() as AddressInfo;
  const settings = {
    npm_config_registry: `http://127.0.0.1:${port}/`,
    npm_config_cache: join(folder, "cache"),
    npm_config_userconfig: join(folder, "npmrc"),
    npm_config_fetch_retries: "0",
  };
  const before = Object.keys(settings).map((key): [string, string | undefined] => [
    key,
    process.env[key],
  ]);
  Object.assign(process.env, settings);
  t.after(async () => {
    for (const [key, value] of before) {
      if (value === undefined) delete process.env[key];
      else process.env[key] = value;
    }
    server.closeAllConnections();
    await new Promise((resolve) => server.close(resolve));
    rmSync(folder, { recursive: true, force: true });
  });
  return registry;
}

/** A package as a registry serves it, the same bytes each time. */
export function pack(folder: string, { name, version, manifest, files }: TestPackage): Buffer {
  const root = join(folder, name);
  mkdirSync(join(root, "package"), { recursive: true });
  writeFileSync(
    join(root, "package", "package.json"),
    JSON.stringify({ name, version, ...manifest }),
  );
  for (const [path, text] of Object.entries(files)) {
    writeFileSync(join(root, "package", path), text, {
      mode: path.endsWith(".sh") ? 0o755 : 0o644,
    });
  }
  // The same bytes each time: no times, no owners.
  const plain = ["--mtime=@0", "--owner=0", "--group=0", "--numeric-owner", "--sort=name"];
  return gzipSync(execFileSync("tar", ["-c", ...plain, "-C", root, "package"]));
}

function packument(
  { name, version, manifest, time = "2026-01-01T00:00:00.000Z" }: TestPackage,
  tarball: Buffer,
  address: string,
): object {
  const dist = {
    tarball: `${address}/${name}/-/${name}-${version}.tgz`,
    integrity: `sha512-${createHash("sha512").update(tarball).digest("base64")}`,
  };
  return {
    name,
    "dist-tags": { latest: version },
    versions: { [version]: { name, version, ...manifest, dist } },
    time: { [version]: time },
  };
}
