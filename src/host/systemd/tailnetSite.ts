import { existsSync } from "node:fs";
import { z } from "zod";
import type { Plan } from "../../plan/index.ts";
import { HostError } from "../HostError.ts";
import { run } from "./run.ts";

/** Where Tailscale's packages put it. */
export const TAILSCALE = "/usr/bin/tailscale";

const Status = z.looseObject({
  Version: z.string(),
  BackendState: z.string(),
  Self: z.looseObject({ DNSName: z.string() }).optional(),
});

/** The first whose `serve` takes ports and runs in the foreground as it does now. */
const LEAST: readonly [major: number, minor: number] = [1, 52];

/**
 * The name by which this machine's tailnet knows it, where a bot is to be reached from there.
 *
 * @throws HostError `cannot-serve` without Tailscale, with one that is too old, or not logged in
 */
export async function tailnetSite({ bots }: Plan): Promise<string | undefined> {
  const bot = bots.find(({ expose }) => expose?.tailscale === true);
  if (bot === undefined) return undefined;
  const lack = (what: string, hint: string): HostError =>
    new HostError("cannot-serve", `bot "${bot.name}" is for the tailnet, and ${what}`, { hint });
  if (!existsSync(TAILSCALE))
    throw lack("Tailscale isn't installed", "install it from tailscale.com/download/linux");
  const { code, stdout } = await run(TAILSCALE, ["status", "--json"]);
  const read = Status.safeParse(parse(stdout));
  if (code !== 0 || !read.success)
    throw lack("tailscaled doesn't answer", "type: systemctl enable --now tailscaled");
  const { Version, BackendState, Self } = read.data;
  const [major = 0, minor = 0] = Version.split(".").map(Number);
  if (major < LEAST[0] || (major === LEAST[0] && minor < LEAST[1]))
    throw lack("its Tailscale is older than 1.52", "upgrade it: tailscale update");
  const name = (Self?.DNSName ?? "").replace(/\.$/, "").toLowerCase();
  if (BackendState !== "Running" || !/^(?=.{1,253}$)[a-z0-9-]+(?:\.[a-z0-9-]+)+$/.test(name))
    throw lack("this machine is in none", "type: tailscale up");
  return name;
}

function parse(text: string): unknown {
  try {
    return JSON.parse(text);
  } catch {
    return undefined;
  }
}
