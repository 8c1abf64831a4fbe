import type { BrokerMint } from "../BrokerConfig.ts";

/** The secrets that one is made from. */
export function materialNames(mint: BrokerMint["mint"]): readonly string[] {
  switch (mint.kind) {
    case "oauth2":
      return [mint.clientSecret, mint.refreshToken].filter((name) => name !== undefined);
    case "google-service-account":
      return [mint.key];
    case "github-app":
      return [mint.privateKey];
    default:
      return mint satisfies never;
  }
}
