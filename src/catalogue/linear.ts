import type { ServiceEntry } from "./ServiceEntry.ts";

/**
 * https://linear.app/developers/graphql#personal-api-keys: the key stands in the header alone, without
 * a scheme. Reading; what is to be written a grant says, as
 * `{ call: "POST /graphql", graphql: "mutation", field: "issueCreate" }`.
 */
export const linear: ServiceEntry = {
  name: "linear",
  title: "Linear",
  hosts: ["https://api.linear.app"],
  credential: [{ header: "authorization" }],
  phantom: "lin_api_{alphanumeric:40}",
  variable: "LINEAR_API_KEY",
  allow: [{ call: "POST /graphql", graphql: "query" }],
};
