/**
 * A supervisor to be killed by a test: starts one walled process and prints the host pids of
 * everything that makes it up, the confined process last, as one line of JSON.
 */
import { readFileSync } from "node:fs";
import { compileWall } from "../compileWall.ts";
import { startWalled } from "../startWalled.ts";
import { LAUNCHER, NODE } from "./reachable.ts";
import { BASE_MOUNTS, probeSubject, specFor, SUBJECT } from "./harness.ts";

const own = process.argv[2] === "own";
const host = await probeSubject();
const idle = "setInterval(() => undefined, 1000); console.log('up')";
const spec = own
  ? specFor(idle, { network: { tcp: [], udp: [], bind: [], dial: 18789 } })
  : specFor(idle, {
      namespaces: "host",
      processes: "one",
      // Node ends at once if it may not read a configuration of OpenSSL that is there.
      mounts: [
        ...BASE_MOUNTS.filter((mount) => mount.kind === "read" && mount.from === mount.to),
        { kind: "read", from: NODE, to: NODE },
        { kind: "read", from: "/etc", to: "/etc" },
      ],
    });
const walled = startWalled(compileWall(spec, host), {
  launcher: LAUNCHER,
  ...(own ? SUBJECT : {}),
  stdout: "pipe",
  stderr: 2,
  onMessage: () => undefined,
});
const inner = await walled.inner();
// The program itself runs, not only the launcher.
await new Promise((resolve) => walled.stdout?.once("data", resolve));
const childrenOf = (pid: number) =>
  readFileSync(`/proc/${pid}/task/${pid}/children`, "utf8").split(" ").filter(Boolean).map(Number);
const outer = walled.pid ?? 0;
const others = childrenOf(outer).flatMap((pid) => [pid, ...childrenOf(pid)]);
const all = own ? [outer, ...others] : [inner];
process.stdout.write(`${JSON.stringify([...all.filter((pid) => pid !== inner), inner])}\n`);
