/**
 * A machine with the internet of a test: run in mount and network namespaces of its own, it gives itself
 * the addresses of two public-looking hosts, serves them over TLS, and runs commands.
 *
 *   unshare --mount --net node withHostsOutside.ts FOLDER '[{args, container?}]'
 *
 * Prints what each command gave as one JSON array.
 */
import { execFileSync, spawn } from "node:child_process";
import { once } from "node:events";
import { writeFileSync } from "node:fs";
import { createServer } from "node:https";
import { createServer as createHttp } from "node:http";
import { join, resolve } from "node:path";
import { ensureAuthority, issueLeaf } from "../../src/authority/index.ts";
import { CONTAINER_RULES } from "../../src/wall/testing/containerRules.ts";
import { runUnderFilter } from "../../src/wall/testing/underFilter.ts";

export interface OutsideCall {
  readonly args: readonly string[];
  /** With what a container's default seccomp profile refuses. */
  readonly container?: boolean;
  readonly input?: string;
}

export interface OutsideResult {
  readonly code: number | null;
  readonly output: string;
  readonly errors: string;
}

/** No network that this machine could have a route to is called by these. */
export const OUTSIDE_HOSTS: Readonly<Record<string, string>> = {
  "api.seawall-test.com": "93.184.216.34",
  "other.seawall-test.com": "93.184.216.35",
};
/** Something of the owner's own, on the loopback of the host. */
export const NEIGHBOUR_PORT = 8099;
const START = resolve(import.meta.dirname, "../../src/cli/start.cjs");

if (import.meta.main) await main(process.argv[2] ?? "", process.argv[3] ?? "");

async function main(folder: string, text: string): Promise<void> {
  execFileSync("ip", ["link", "set", "lo", "up"]);
  for (const address of Object.values(OUTSIDE_HOSTS))
    execFileSync("ip", ["address", "add", `${address}/32`, "dev", "lo"]);
  const hosts = join(folder, "hosts");
  const lines = Object.entries(OUTSIDE_HOSTS).map(([name, address]) => `${address} ${name}\n`);
  writeFileSync(hosts, `127.0.0.1 localhost\n${lines.join("")}`);
  execFileSync("mount", ["--bind", hosts, "/etc/hosts"]);
  const authority = await ensureAuthority(join(folder, "outside"));
  const leaf = await issueLeaf(authority, Object.keys(OUTSIDE_HOSTS), { days: 1 });
  const server = createServer({ cert: leaf.chain, key: leaf.key }, (request, response) =>
    response.end(`this is ${request.headers.host}`),
  );
  const neighbour = createHttp((_request, response) => response.end("the owner's own"));
  await once(server.listen(443, "0.0.0.0"), "listening");
  await once(neighbour.listen(NEIGHBOUR_PORT, "0.0.0.0"), "listening");
  const results: OutsideResult[] = [];
  for (const call of JSON.parse(text) as readonly OutsideCall[])
    results.push(await run(folder, call));
  server.closeAllConnections();
  server.close();
  neighbour.close();
  process.stdout.write(JSON.stringify(results));
}

async function run(
  folder: string,
  { args, container, input = "" }: OutsideCall,
): Promise<OutsideResult> {
  const home = join(folder, "home");
  const env = {
    HOME: home,
    PATH: process.env["PATH"] ?? "",
    SEAWALL_STATE: join(folder, "state"),
    SEAWALL_STORE: join(folder, "store"),
  };
  if (container === true)
    return await runUnderFilter(CONTAINER_RULES, [START, ...args], { env, cwd: home });
  const child = spawn(process.execPath, [START, ...args], { cwd: home, env });
  let [output, errors] = ["", ""];
  child.stdout.on("data", (data: Buffer) => (output += String(data)));
  child.stderr.on("data", (data: Buffer) => (errors += String(data)));
  child.stdin.end(input);
  const [code] = (await once(child, "close")) as [number | null];
  return { code, output, errors };
}
