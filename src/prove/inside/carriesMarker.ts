import { MARKER } from "./findings.ts";

/** Whether a reply holds a planted secret, plainly or in an encoding that a service might use. */
export function carriesMarker(reply: string): boolean {
  return [
    reply,
    ...[...reply.matchAll(/[\w+/=-]{24,}/g)].flatMap(([text]) => [
      Buffer.from(text, "base64").toString("latin1"),
      Buffer.from(text, "hex").toString("latin1"),
    ]),
    reply.replaceAll(/%([0-9a-f]{2})/gi, (_, hex: string) =>
      String.fromCodePoint(Number.parseInt(hex, 16)),
    ),
  ].some((text) => MARKER.test(text));
}
