import type { BrokerDial, BrokerGrant } from "../BrokerConfig.ts";
import type { InjectBrokerGrant } from "../Deployment.ts";
import { canary } from "./TestBroker.ts";

/** A grant like the catalogue's for a model: credential in a header. */
export function modelGrant(
  at: { readonly port: number; readonly address: string; readonly dial: BrokerDial },
  more: Partial<InjectBrokerGrant> = {},
): InjectBrokerGrant {
  return {
    kind: "inject",
    name: "model",
    service: "model",
    hosts: [{ name: "api.model.test", port: at.port, scheme: "https", v4: at.address }],
    secret: "model",
    phantom: canary("sk-phantom-"),
    places: [
      { in: "header", name: "x-api-key", prefix: "" },
      { in: "header", name: "authorization", prefix: "Bearer " },
    ],
    rules: [
      { method: "POST", path: "/v1/messages" },
      { method: "GET", path: "/v1/models/**" },
    ],
    anonymous: [{ method: "GET", path: "/status" }],
    dial: at.dial,
    ...more,
  };
}

/** A grant like the catalogue's for a chat: credential in the path. */
export function chatGrant(
  at: { readonly port: number; readonly address: string; readonly dial: BrokerDial },
  more: Partial<InjectBrokerGrant> = {},
): InjectBrokerGrant {
  return {
    kind: "inject",
    name: "chat",
    service: "chat",
    hosts: [{ name: "api.chat.test", port: at.port, scheme: "https", v4: at.address }],
    secret: "chat",
    phantom: `12345678:${canary("")}`,
    places: [
      { in: "path", template: "/bot{secret}" },
      { in: "path", template: "/file/bot{secret}" },
    ],
    rules: [
      { method: "*", path: "/bot{secret}/**" },
      { method: "GET", path: "/file/bot{secret}/**" },
    ],
    anonymous: [],
    dial: at.dial,
    ...more,
  };
}

/** A grant that passes through. */
export function tunnelGrant(at: {
  readonly port: number;
  readonly address: string;
  readonly dial: BrokerDial;
}): BrokerGrant {
  return {
    kind: "tunnel",
    name: "tunnel",
    hosts: [{ name: "www.tunnel.test", port: at.port, scheme: "https", v4: at.address }],
    dial: at.dial,
  };
}
