import { isIP } from "node:net";
import type { HostPlan } from "./Plan.ts";

/** A host as a URL begins: `https://api.example.com`, with the port where it isn't the usual one. */
export function formatOrigin({
  scheme,
  name,
  port,
}: Pick<HostPlan, "scheme" | "name" | "port">): string {
  const usual = port === (scheme === "https" ? 443 : 80);
  return `${scheme}://${isIP(name) === 6 ? `[${name}]` : name}${usual ? "" : `:${port}`}`;
}
