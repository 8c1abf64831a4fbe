import { botUnits } from "../../targets/index.ts";
import { answersHealth } from "../answersHealth.ts";
import { run } from "./run.ts";
import { showUnits } from "./systemctl.ts";

/** Where it ends, as `journalctl -n 0 --show-cursor` says it (systemd 252). */
const CURSOR = /^-- cursor: (\S+)$/mu;

/**
 * What a bot's gateway writes to the journal from now on, whenever it is asked for.
 *
 * @param port of the host's loopback where its users reach it.
 * @returns undefined where the gateway doesn't answer, as where systemd doesn't run: in a root that is only looked at.
 */
export async function gatewayLog(
  bot: string,
  port: number,
): Promise<(() => Promise<string>) | undefined> {
  const unit = botUnits(bot).gateway;
  const states = await showUnits([unit]).catch(() => undefined);
  if (states?.get(unit)?.active !== "active" || !(await answersHealth(port))) return undefined;
  const { stdout } = await run("journalctl", ["-n", "0", "--show-cursor", "--no-pager"]);
  const cursor = CURSOR.exec(stdout)?.[1];
  if (cursor === undefined) return undefined;
  const since = ["-o", "cat", "--no-pager", "-u", unit, `--after-cursor=${cursor}`];
  return async () => (await run("journalctl", since)).stdout;
}
