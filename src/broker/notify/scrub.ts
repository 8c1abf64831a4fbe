import type { Deployment } from "../Deployment.ts";

/** No phantom, token or real value, however the bot came by it; in an encoding that hides it, nothing of the text. */
export function scrub({ unrecorded, redactors }: Deployment, text: string): string {
  const clean = unrecorded.scrub(text);
  return unrecorded.find(clean) === undefined && !redactors.anyIn(Buffer.from(clean))
    ? clean
    : "{hidden}";
}
