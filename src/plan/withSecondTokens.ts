import type { Fault, Path } from "../declaration/index.ts";
import type { DraftGrant } from "./GrantContext.ts";
import type { KnownService } from "./resolveServices.ts";

/**
 * A channel whose service has two tokens takes a grant of each: Slack the bot's (`slack`), which talks, and the app's
 * (`slack-app`), which listens. With the first alone a bot has its calls and no channel; the second alone could only
 * listen, so that is a fault.
 */
export function withSecondTokens(
  drafts: readonly DraftGrant[],
  services: ReadonlyMap<string, KnownService>,
  path: Path,
  faults: Fault[],
): DraftGrant[] {
  const draftOf = (name: string): DraftGrant | undefined =>
    drafts.find(({ grant }) => grant.name === name);
  for (const { name, channelNeeds } of services.values()) {
    if (channelNeeds === undefined || draftOf(channelNeeds) === undefined) continue;
    if (draftOf(name) !== undefined) continue;
    faults.push({
      code: "missing",
      path: [...path, "grants", channelNeeds],
      atKey: true,
      message: `"${channelNeeds}" is the second token of the channel "${name}", which this bot isn't granted`,
      hint: `grant the first one, too: ${name}: { secret: "${name}" }`,
    });
  }
  return drafts.map((draft) => {
    const { grant, channel, plugin: _plugin, ...rest } = draft;
    const needs = services.get(grant.name)?.channelNeeds;
    if (channel === undefined || needs === undefined) return draft;
    const secondVariable = draftOf(needs)?.variable;
    if (secondVariable !== undefined) return { ...draft, channel: { ...channel, secondVariable } };
    if (channel.allowFrom.length > 0)
      faults.push({
        code: "no-effect",
        path: [...path, "grants", grant.name, "allowFrom"],
        atKey: true,
        message: `"${grant.name}" listens to nobody without "${needs}", so "allowFrom" could have no effect`,
        hint: `grant its second token, too: "${needs}": { secret: "${needs}" }`,
      });
    return { ...rest, grant };
  });
}
