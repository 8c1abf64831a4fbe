import type { Attacker, Finding } from "../Attack.ts";
import { held, inapplicable, MARKER, through, tryEach, untried } from "./findings.ts";
import { exchange } from "./sockets.ts";

/** A refusal comes at once; a browser that has to be started takes its time. */
const PATIENCE_MS = 20_000;

/** Has the bot's browser open each of these addresses, by the client command's protocol (docs/services.md). */
export function onBrowser(
  { field }: Pick<Attacker, "field">,
  addresses: readonly string[],
): Promise<Finding> {
  const socket = field.broker?.browserSocket;
  if (socket === undefined) return Promise.resolve(inapplicable("this one has no browser"));
  return tryEach(addresses, async (address) => {
    const asked = {
      v: 1,
      command: "browser-fetch",
      args: ["fetch", `url=${address}`],
      body: false,
    };
    const { reply, error } = await exchange(
      { path: socket },
      `${JSON.stringify(asked)}\n`,
      PATIENCE_MS,
    );
    if (MARKER.test(reply)) return through(`${address} was opened`);
    const { code, said } = readFrames(reply);
    const why = /"code":"([a-z0-9-]+)"/.exec(said)?.[1] ?? "";
    if (code === 0) return through(`${address} was opened`);
    if (code === 3) return held("broker", `refused: ${why}`);
    // Where the name is somebody's, it leads to one of the other addresses.
    if (why === "name-not-found") return held("broker", "there is no such name here");
    return untried(`the browser could not be asked: ${error ?? why}`);
  });
}

/** One byte of kind, four of length, then that many; `x` is the exit code. */
function readFrames(bytes: string): { readonly code: number | undefined; readonly said: string } {
  const frames = Buffer.from(bytes, "latin1");
  let said = "";
  let code: number | undefined;
  for (let at = 0; at + 5 <= frames.length;) {
    const kind = String.fromCodePoint(frames[at] ?? 0);
    const end = at + 5 + frames.readUInt32BE(at + 1);
    if (kind === "x") code = frames[at + 5];
    else said += frames.toString("latin1", at + 5, end);
    at = end;
  }
  return { code, said };
}
