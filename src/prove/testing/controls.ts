/**
 * For tests: every attack without a wall, in namespaces that are thrown away and as their root. Each
 * has to get through, or its "held" would mean nothing. Prints the outcomes as JSON. Started by
 *
 *   unshare --mount --net --pid --ipc --uts --fork --kill-child --mount-proc node controls.ts
 */
import { spawn, spawnSync } from "node:child_process";
import {
  chmodSync,
  existsSync,
  mkdtempSync,
  openSync,
  rmSync,
  statSync,
  writeFileSync,
} from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { ensureAuthority, issueLeaf } from "../../authority/index.ts";
import { attacks } from "../attacks/index.ts";
import type { Field } from "../Field.ts";
import { through } from "../inside/findings.ts";
import { makeBundle } from "../makeBundle.ts";
import { startRange } from "../range/startRange.ts";
import { runAttacks } from "../runAttacks.ts";
import { startNaiveBroker } from "./naiveBroker.ts";

const FLOOD = 1 << 20;
/** Far below what this machine has, and enough to see that nothing counts. */
const BOUNDS = {
  processes: 200,
  memory: 64 << 20,
  descriptors: 2_000,
  fileSize: 2 ** 36,
  logBytes: FLOOD,
};

/** A client that writes its answer wherever it is told to: `NAME --help --output FILE`. */
const NAIVE_CLIENT = `#!/bin/sh
echo answer >"$3"
`;

const folder = mkdtempSync(join(tmpdir(), "seawall-controls-"));
try {
  // Another user has to get to the socket in it.
  chmodSync(folder, 0o711);
  makeNetwork();
  const leaf = await issueLeaf(await ensureAuthority(join(folder, "authority")), ["localhost"]);
  const range = await startRange({
    node: process.execPath,
    uid: undefined,
    bounds: BOUNDS,
    under: folder,
  });
  try {
    const secret = range.marker;
    const socket = join(folder, "commands.sock");
    const broker = await startNaiveBroker(leaf, secret, socket);
    const client = join(folder, "client");
    writeFileSync(client, NAIVE_CLIENT, { mode: 0o755 });
    const bundle = makeBundle(join(range.folder, "bundle"));
    const phantom = "phantom-of-nobody";
    const field: Field = {
      ...range.field,
      home: range.planted.project,
      addon: bundle.addon,
      granted: [process.execPath],
      multicall: ["/usr/bin/busybox", "/bin/busybox"]
        .filter((path) => existsSync(path))
        .slice(0, 1),
      configuration: [join(range.planted.home, ".gitconfig")],
      memoryFiles: range.planted.owner.slice(0, 1),
      places: { ...range.field.places, programs: [{ path: "/usr/bin", planted: false }] },
      neighbour: { ...range.field.neighbour, phantom: "phantom-of-the-neighbour" },
      broker: {
        call: {
          host: "localhost",
          port: broker.port,
          tls: true,
          method: "GET",
          path: "/",
          headers: { "x-api-key": phantom },
          phantom,
        },
        hosts: [`localhost:${broker.port}`],
        ports: [broker.port],
        proxyPort: broker.proxyPort,
        commands: {
          socket,
          programs: [
            { name: "any-api", path: client },
            { name: "browser-fetch", path: client },
          ],
          call: { command: "any-api", method: "GET", path: "/api" },
          refusedMethod: "DELETE",
          segment: { command: "any-api", operation: "read", input: "id", others: [] },
          bridge: { own: "a", to: ["b"], other: "c", waiting: "0b5e4d3c" },
        },
      },
    };
    const log = join(folder, "log");
    const leaked = openSync(range.planted.owner[0] ?? "", "r");
    const outcomes = await runAttacks({
      attacks,
      field,
      job: bundle.job,
      witness: range.witness,
      markers: [],
      launch: () => {
        const child = spawn(process.execPath, [bundle.main, bundle.job], {
          cwd: range.planted.project,
          env: { ...process.env, API_KEY: range.marker },
          stdio: ["ignore", "pipe", openSync(log, "a"), leaked],
        });
        const { promise: exited, resolve } = Promise.withResolvers<{ code: number | null }>();
        child.once("close", (code) => resolve({ code }));
        if (child.stdout === null) throw new Error("no output");
        return {
          stdout: child.stdout,
          errors: () => "",
          exited,
          kill: () => void child.kill("SIGKILL"),
        };
      },
      onProgress: () => undefined,
      signal: new AbortController().signal,
    });
    // Nobody bounds this log.
    const flooded = statSync(log).size >= FLOOD;
    const report = outcomes.map(({ attack: { name }, finding }) => ({
      name,
      ...(name === "log-flood" && flooded ? through("the log took it all") : finding),
    }));
    process.stdout.write(JSON.stringify(report));
  } finally {
    await range.close();
  }
} finally {
  rmSync(folder, { recursive: true, force: true });
}
/** A network from which packets would leave, if there were anybody at the other end. */
function makeNetwork(): void {
  const resolver = join(folder, "resolv.conf");
  writeFileSync(resolver, "nameserver 127.0.0.1\n");
  const commands = [
    "mount --make-rprivate /",
    `mount --bind ${resolver} /etc/resolv.conf`,
    "ip link set lo up",
    "ip link add eth0 type veth peer name far",
    "ip address add 192.0.2.2/24 dev eth0",
    "ip -6 address add 2001:db8:ffff::2/64 dev eth0 nodad",
    "ip link set eth0 up",
    "ip link set far up",
    "ip route add default via 192.0.2.1",
    "ip -6 route add default via 2001:db8:ffff::1",
    // For calls to an address that no grant has.
    "ip route add local 203.0.113.77/32 dev lo",
  ];
  for (const command of commands) {
    const [program = "", ...args] = command.split(" ");
    const { status, stderr } = spawnSync(program, args, { encoding: "utf8" });
    if (status !== 0) throw new Error(`${command}: ${stderr}`);
  }
}
