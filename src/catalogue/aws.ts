import type { ServiceEntry } from "./ServiceEntry.ts";

/**
 * Any one service of AWS in one region, as `aws: { region: "eu-central-1", service: "sqs" }`. Most are called by
 * `POST /`, and what the call does stands in its headers or body; so the key itself should be allowed little.
 */
export const aws: ServiceEntry = {
  name: "aws",
  title: "one service of AWS, by its API",
  hosts: ["https://{service}.{region}.amazonaws.com"],
  ownHost: true,
  credential: [{ sigv4: "*" }],
  phantom: "AKIA{base32:20}",
  variable: "AWS_ACCESS_KEY_ID",
  allow: [],
};
