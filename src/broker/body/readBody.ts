import { valuesOf, type Call } from "../match.ts";
import { refuse, type Refusal } from "../Refusal.ts";
import type { CallBody } from "./CallBody.ts";

/** A message with a photo is larger, but then it is not text that a rule could be about. */
const MOST_BYTES = 4 * 1024 * 1024;

/** Collects a body that the decision depends on. */
export async function readBody(call: Call, body: AsyncIterable<Buffer>): Promise<Call | Refusal> {
  if (valuesOf(call.headers, "content-encoding").length > 0) return refuse("body-unreadable");
  const chunks: Buffer[] = [];
  let length = 0;
  try {
    for await (const chunk of body) {
      length += chunk.length;
      if (length > MOST_BYTES) return refuse("body-too-large");
      chunks.push(chunk);
    }
  } catch {
    return refuse("malformed-request");
  }
  return { ...call, content: { bytes: Buffer.concat(chunks), ...readType(call) } };
}

function readType(call: Call): Omit<CallBody, "bytes"> {
  const [value = ""] = valuesOf(call.headers, "content-type");
  const [type = "", ...rest] = value.split(";");
  const parameters = rest.flatMap((each): [string, string][] => {
    const [, name = "", text = ""] = /^\s*([^=\s]+)=(.*?)\s*$/.exec(each) ?? [];
    return name === "" ? [] : [[name.toLowerCase(), text.replace(/^"(.*)"$/, "$1")]];
  });
  return { type: type.trim().toLowerCase(), parameters: new Map(parameters) };
}
