/**
 * For tests of what a lacking host leads to: prints what `probeHost` finds, whether a wall compiles
 * (the code it is refused with, and its exit status), and which listeners a start hands over.
 * Arguments: a PATH to look for bubblewrap on, or nothing; then concessions.
 */
import { existsSync } from "node:fs";
import { compileWall } from "../compileWall.ts";
import { probeHost } from "../probe/probeHost.ts";
import { startWalled } from "../startWalled.ts";
import { WallError } from "../WallError.ts";
import type { Concession, Mount } from "../WallSpec.ts";
import { LAUNCHER, NODE } from "./reachable.ts";
import { closeHandle, specFor, SUBJECT } from "./harness.ts";

const [path = "", ...concessions] = process.argv.slice(2);
const launcher = LAUNCHER;
// Where no other user exists (inside a user namespace of its own) there is none to become.
const subject = process.env["SUBJECT"] === "self" ? {} : SUBJECT;
const host = await probeHost({ launcher, ...subject, ...(path === "" ? {} : { path }) });
const listeners: unknown[] = [];
let refusal: unknown;
try {
  const network = { tcp: [443], udp: [53], bind: [] };
  const given = { network, concessions: concessions as Concession[] };
  const wall = compileWall(
    // Without namespaces everything is where it is, and there is nothing to listen on.
    concessions.includes("no-user-namespaces")
      ? {
          ...specFor("0", { ...given, network: { ...network, tcp: [], udp: [] } }),
          command: [NODE, "-e", "0"],
          mounts: [
            ...["/usr", "/lib", "/lib64", "/etc", NODE]
              .filter((path) => existsSync(path))
              .map((path): Mount => ({ kind: "read", from: path, to: path })),
            { kind: "proc", to: "/proc" },
            { kind: "devices", to: "/dev" },
          ],
        }
      : specFor("0", given),
    host,
  );
  const walled = startWalled(wall, {
    launcher,
    ...subject,
    stdout: 2,
    stderr: 2,
    onMessage: (message, handle) => {
      listeners.push(message);
      closeHandle(handle);
    },
  });
  refusal = await walled.exited;
} catch (error) {
  if (!(error instanceof WallError)) throw error;
  refusal = { code: error.code, exit: error.exitCode, hint: error.hint };
}
process.stdout.write(JSON.stringify({ host, refusal, listeners }));
