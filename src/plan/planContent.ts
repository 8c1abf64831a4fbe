import type { EntryJson, EntryMessage } from "../catalogue/index.ts";
import { readBytes, type DeclaredGrant, type Fault, type Path } from "../declaration/index.ts";
import { canonical } from "./canonical.ts";
import { mayCarry } from "./covers.ts";
import { parseCall } from "./parseCall.ts";
import type { ContentPlan, MessageShape, Place } from "./Plan.ts";

/** The shapes of a service's messages; what is wrong with one is a fault at its place. */
export function planMessages(
  declared: readonly EntryMessage[],
  places: readonly Place[],
  path: Path,
  faults: Fault[],
): MessageShape[] {
  return declared.flatMap(({ call, texts, previewOff }, index): MessageShape[] => {
    const rule = parseCall(call);
    const wrong = "wrong" in rule || rule.host !== undefined || !mayCarry(rule, places);
    if ("wrong" in rule || wrong) {
      faults.push({
        code: "invalid",
        path: [...path, index, "call"],
        message: "this is not the call that sends a message",
        hint: 'write method and path, as "POST /api/messages"',
      });
      return [];
    }
    const off = Object.entries(previewOff ?? {})
      .map(([pointer, value]: [string, EntryJson]) => ({ pointer, value: canonical(value) }))
      .toSorted((a, b) => (a.pointer < b.pointer ? -1 : 1));
    return [
      {
        method: rule.method,
        path: rule.path,
        texts: [...new Set(texts)].toSorted(),
        ...(off.length === 0 ? {} : { previewOff: off }),
      },
    ];
  });
}

/**
 * What is checked of the messages a grant sends. Previews are off unless the grant says otherwise:
 * making one, the channel's servers call the link with whatever it carries.
 */
export function planContent(
  service: { readonly name: string; readonly messages: readonly MessageShape[] },
  { content }: DeclaredGrant,
  path: Path,
  faults: Fault[],
): { readonly content?: ContentPlan } {
  const { messages } = service;
  const canSwitch = messages.some(({ previewOff }) => previewOff !== undefined);
  const noEffect = (key: readonly string[], message: string, hint: string): void => {
    faults.push({ code: "no-effect", path: [...path, ...key], atKey: true, message, hint });
  };
  if (messages.length === 0) {
    if (content !== undefined) {
      noEffect(
        ["content"],
        `nothing is known of what messages "${service.name}" sends, so "content" could have no effect`,
        'remove it, or declare a service of your own with "messages"',
      );
    }
    return {};
  }
  const { maxBytes, links, otherLinks, previews } = content ?? {};
  if (otherLinks !== undefined && links === undefined) {
    noEffect(
      ["content", "otherLinks"],
      'without "links" there are no other links',
      'add links: ["example.com"], or links: [] for none at all',
    );
  }
  if (previews === "off" && !canSwitch) {
    noEffect(
      ["content", "previews"],
      `"${service.name}" has no way to switch previews off`,
      "remove it; to have no previews, allow no links",
    );
  }
  const off = canSwitch && previews !== "unchanged";
  if (content === undefined && !off) return {};
  const onlyPreviews = maxBytes === undefined && links === undefined;
  return {
    content: {
      // Bodies that are looked at are held back whole, so only where there is something to look for.
      messages: onlyPreviews
        ? messages.filter(({ previewOff }) => previewOff !== undefined)
        : messages,
      ...(maxBytes === undefined ? {} : { maxBytes: readBytes(maxBytes) }),
      ...(links === undefined ? {} : { linkHosts: [...new Set(links)].toSorted() }),
      ...(otherLinks === undefined ? {} : { otherLinks }),
      previews: off ? "off" : "unchanged",
    },
  };
}
