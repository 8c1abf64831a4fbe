import type { Attacker, Finding } from "../Attack.ts";
import { held, inapplicable, MARKER, through, tryEach, untried } from "./findings.ts";
import { onCommands, useCommand } from "./onCommands.ts";

const BROWSER = "browser-fetch";

/** Has the bot's browser open each of these addresses. */
export function onBrowser(
  attacker: Pick<Attacker, "field">,
  addresses: readonly string[],
): Promise<Finding> {
  return onCommands(attacker, (commands) => {
    if (!commands.programs.some(({ name }) => name === BROWSER))
      return inapplicable("this one has no browser");
    return tryEach(addresses, async (address) => {
      const answer = await useCommand(commands, BROWSER, ["fetch", `url=${address}`]);
      const { code, said, why, error } = answer;
      if (code === 0 || MARKER.test(said)) return through(`${address} was opened`);
      if (code === 3) return held("broker", `refused: ${why}`);
      // Where the name is somebody's, it leads to one of the other addresses.
      if (why === "name-not-found") return held("broker", "there is no such name here");
      return untried(`the browser could not be asked: ${error ?? why}`);
    });
  });
}
