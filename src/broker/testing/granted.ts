import type { BrokerDial, BrokerGrant } from "../BrokerConfig.ts";
import type { Granted } from "../Deployment.ts";
import type { HostPlan } from "../../plan/index.ts";

/** One granted host by itself, for tests of what comes after the decision. */
export function grantedHost(
  host: HostPlan,
  dial: BrokerDial | undefined,
  kind: Exclude<BrokerGrant["kind"], "program"> = host.scheme === "tcp" ? "tcp" : "inject",
): Granted {
  const common = { name: "g", hosts: [host], ...(dial === undefined ? {} : { dial }) };
  const grant: BrokerGrant =
    kind === "inject"
      ? {
          kind,
          ...common,
          service: "g",
          secret: "g",
          phantom: "phantom-phantom",
          places: [{ in: "header", name: "x-api-key", prefix: "" }],
          rules: [{ method: "*", path: "/**" }],
          anonymous: [],
        }
      : { kind, ...common };
  return { bot: "basecamp", grant, host };
}
