import type { ContentPlan } from "../../plan/index.ts";
import { readForm } from "../body/form.ts";
import { isAlike } from "../decide/alike.ts";
import type { Granted } from "../Deployment.ts";
import type { Call } from "../match.ts";
import { refuse, type Refusal } from "../Refusal.ts";
import { matchRule, type RuleHead } from "../rules/matchRule.ts";
import { findLinkHosts } from "./findLinkHosts.ts";
import type { Edit } from "./overlayJson.ts";
import { fieldNames, readMessage } from "./readMessage.ts";

/** What is to be done about a message that isn't refused. */
export interface Checked {
  /** Hosts of links about which the owner is to be asked, with commas between. */
  readonly link?: string;
  /** Changes in the body before it leaves. */
  readonly edits: readonly Edit[];
}

/** More hosts than the owner would read through. */
const MOST_ASKED = 5;
/** No chat takes longer ones, and searching them for links would keep the other bots waiting. In UTF-8 bytes. */
const MOST_SEARCHED = 64 * 1024;

/**
 * Checks what a call says to people, if it is one that does: length, where links lead, previews off.
 * A body that can't be read as the message's shape says is refused, and so is a message in the
 * target's query, where some services take one from too: nothing could be changed there.
 *
 * @param path the path with its credential replaced by `{secret}`.
 */
export function checkContent(
  plan: ContentPlan,
  { host }: Granted,
  call: Call,
  path: string,
): Checked | Refusal {
  const head: RuleHead = { method: call.method, path, query: call.query, host: host.name };
  const edits: Edit[] = [];
  const links = new Set<string>();
  for (const shape of plan.messages) {
    const here = matchRule({ ...shape, method: "*" }, head, "forbid");
    if (!here) continue;
    if (hasField(call.query, fieldNames(shape))) return refuse("body-unreadable");
    if (!matchRule(shape, head, "forbid")) continue;
    const message = readMessage(
      plan.previews === "off" ? shape : { ...shape, previewOff: [] },
      call,
    );
    if (message === undefined) return refuse("body-unreadable");
    edits.push(...message.edits);
    let searched = 0;
    for (const strings of message.texts) {
      if (plan.maxBytes !== undefined && sizeOf(strings) > plan.maxBytes)
        return refuse("content-size");
      if (plan.linkHosts === undefined) continue;
      searched += sizeOf(strings);
      if (searched > MOST_SEARCHED) return refuse("content-size");
      for (const text of strings)
        for (const found of findLinkHosts(text))
          if (!isListed(plan.linkHosts, found)) links.add(found);
    }
  }
  if (links.size === 0) return { edits };
  if (plan.otherLinks !== "ask" || links.size > MOST_ASKED) return refuse("content-link");
  return { edits, link: [...links].toSorted().join(", ") };
}

/** Whether the list has the host: `example.com` itself, or by `*.example.com` a name below it. */
export function isListed(hosts: readonly string[], host: string): boolean {
  return hosts.some((pattern) =>
    pattern.startsWith("*.")
      ? host.length > pattern.length - 1 && host.endsWith(pattern.slice(1))
      : host === pattern,
  );
}

function hasField(query: string, names: readonly string[]): boolean {
  if (query.length <= 1) return false;
  const fields = readForm(Buffer.from(query.slice(1), "latin1"));
  // Unreadable: it might hold anything.
  return fields?.some(([name]) => names.some((wanted) => isAlike(name, wanted))) ?? true;
}

function sizeOf(strings: readonly string[]): number {
  return strings.reduce((sum, text) => sum + Buffer.byteLength(text), 0);
}
