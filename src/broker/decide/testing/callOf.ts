import { readBody } from "../../body/readBody.ts";
import { destinationKey } from "../../destination.ts";
import { compileDeployment, type Granted, type InjectBrokerGrant } from "../../Deployment.ts";
import type { Deployment } from "../../Deployment.ts";
import { inject, type Outgoing } from "../../inject/inject.ts";
import { readCall, type Call, type Header } from "../../match.ts";
import { isRefusal, type Refusal } from "../../Refusal.ts";
import { needsBody } from "../../rules/needsBody.ts";
import { SecretValue } from "../../../secrets/SecretValue.ts";
import { decide, type Decision } from "../decide.ts";

export const PHANTOM = "sk-phantom-0123456789abcdefghij";
export const SECRET = "sk-real/+9876543210=zyxwvutsrqp";
/** Of another grant of the same bot, and of another bot. */
export const OTHER = "xoxb-other-0123456789abcdefghij";
export const STRANGER = "ghp_strangerstrangerstranger12";

export type GrantParts = Partial<InjectBrokerGrant>;

const grantOf = (name: string, phantom: string, address: string): InjectBrokerGrant => ({
  kind: "inject",
  name,
  service: name,
  hosts: [{ name: `${name}.test`, port: 443, scheme: "https", v4: address }],
  secret: "s",
  phantom,
  places: [{ in: "header", name: "x-api-key", prefix: "" }],
  rules: [{ method: "*", path: "/**" }],
  anonymous: [],
});

/** A deployment of two bots; the one whose call it is has two grants. */
export function deploymentOf(parts: GrantParts): Deployment {
  const certificate = { chain: "", key: "" };
  return compileDeployment(
    {
      secrets: [{ name: "s", source: { store: "vault", key: "s" } }],
      vault: { file: "unused", identity: "unused" },
      audit: { file: "unused" },
      bots: [
        {
          name: "basecamp",
          certificate,
          grants: [
            { ...grantOf("api", PHANTOM, "192.0.2.1"), ...parts },
            grantOf("other", OTHER, "192.0.2.2"),
          ],
        },
        { name: "erdos", certificate, grants: [grantOf("third", STRANGER, "192.0.2.3")] },
      ],
    },
    { read: () => Promise.resolve(new SecretValue(SECRET)) },
  );
}

export interface Sent {
  readonly method?: string;
  readonly target?: string;
  readonly headers?: readonly Header[];
  readonly body?: string | Buffer;
  readonly upgrade?: "websocket";
}

/** What becomes of a request: read, decided, and made ready to go out. */
export async function callOf(
  parts: GrantParts,
  { method = "POST", target = "/x", headers = [], body, upgrade }: Sent,
): Promise<{ call: Call; decision: Decision; outgoing: Outgoing } | Refusal> {
  const deployment = deploymentOf(parts);
  const candidates: readonly Granted[] =
    deployment.bots.get("basecamp")?.destinations.get(destinationKey("192.0.2.1", 443)) ?? [];
  if (candidates.length === 0) throw new Error("no such destination");
  const bytes = body === undefined ? undefined : Buffer.from(body);
  const read = readCall({
    method,
    target,
    version: "1.1",
    headers: [
      ["Host", "api.test"],
      ...headers,
      ...(bytes === undefined ? [] : [["Content-Length", String(bytes.length)] as const]),
    ],
  });
  if (isRefusal(read)) return read;
  const asked = upgrade === undefined ? read : { ...read, upgrade };
  const call = needsBody(candidates, asked)
    ? await readBody(
        asked,
        (async function* () {
          if (bytes !== undefined) yield await Promise.resolve(bytes);
        })(),
        { take: () => true },
      )
    : asked;
  if (isRefusal(call)) return call;
  const decision = decide(candidates, call, deployment.phantoms);
  if (isRefusal(decision)) return decision;
  return { call, decision, outgoing: inject(call, decision, { secret: new SecretValue(SECRET) }) };
}

/** The code it is refused with, or `allowed`. */
export async function verdictOf(parts: GrantParts, sent: Sent): Promise<string> {
  const result = await callOf(parts, sent);
  return isRefusal(result) ? result.refused : "allowed";
}

/** The request as it goes out. @throws Error when it is refused. */
export async function outgoingOf(parts: GrantParts, sent: Sent): Promise<Outgoing> {
  const result = await callOf(parts, sent);
  if (isRefusal(result)) throw new Error(`refused: ${result.refused}`);
  return result.outgoing;
}
