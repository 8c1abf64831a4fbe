import { splice } from "../body/json.ts";
import type { Decision } from "../decide/decide.ts";
import type { Call } from "../match.ts";
import type { Edit } from "./overlayJson.ts";

/**
 * A call with other bytes in its body, and its decision, in which the places of the credential have
 * moved along.
 *
 * @throws TypeError when an edit overlaps another one or a place of the credential.
 */
export function editCall(
  call: Call,
  decision: Decision,
  edits: readonly Edit[],
): { readonly call: Call; readonly decision: Decision } {
  const { content } = call;
  if (content === undefined || edits.length === 0) return { call, decision };
  const bytes = splice(content.bytes, edits);
  const placed = decision.placed.map((each) => {
    if (!("start" in each) || each.place.in === "cookie" || each.place.in === "query") return each;
    let moved = 0;
    for (const { start, end, bytes: replacement } of edits) {
      if (start < each.end && end > each.start)
        throw new TypeError("an edit overlaps the credential's place");
      if (end <= each.start) moved += replacement.length - (end - start);
    }
    return { ...each, start: each.start + moved, end: each.end + moved };
  });
  return {
    call: { ...call, content: { ...content, bytes } },
    decision: { ...decision, placed },
  };
}
