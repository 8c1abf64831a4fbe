/**
 * For tests of what a lacking host leads to: prints what `probeHost` finds, whether a wall compiles
 * (the code it is refused with, and its exit status), and which listeners a start hands over.
 * Arguments: a PATH to look for bubblewrap on, or nothing; then concessions.
 */
import { compileWall } from "../compileWall.ts";
import { probeHost } from "../probe/probeHost.ts";
import { startWalled } from "../startWalled.ts";
import { WallError } from "../WallError.ts";
import type { Concession } from "../WallSpec.ts";
import { LAUNCHER } from "./reachable.ts";
import { closeHandle, specFor, SUBJECT } from "./harness.ts";

const [path = "", ...concessions] = process.argv.slice(2);
const launcher = LAUNCHER;
// Where no other user exists (inside a user namespace of its own) there is none to become.
const subject = process.env["SUBJECT"] === "self" ? {} : SUBJECT;
const host = await probeHost({ launcher, ...subject, ...(path === "" ? {} : { path }) });
const listeners: unknown[] = [];
let refusal: unknown;
try {
  const wall = compileWall(
    specFor("0", {
      network: { tcp: [443], udp: [53], bind: [] },
      concessions: concessions as Concession[],
    }),
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
