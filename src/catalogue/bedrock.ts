import type { ServiceEntry } from "./ServiceEntry.ts";

/**
 * https://docs.aws.amazon.com/bedrock/latest/APIReference/API_Operations_Amazon_Bedrock_Runtime.html. For what
 * agents run: OpenClaw's own provider for it is an external plugin (2026.9.6), so no bot thinks with
 * it unless its settings describe the provider.
 */
export const bedrock: ServiceEntry = {
  name: "bedrock",
  title: "Amazon Bedrock: models",
  hosts: [
    "https://bedrock-runtime.{region}.amazonaws.com",
    "https://bedrock.{region}.amazonaws.com",
  ],
  credential: [{ sigv4: "bedrock" }],
  phantom: "AKIA{base32:20}",
  variable: "AWS_ACCESS_KEY_ID",
  allow: [
    "POST /model/*/invoke",
    "POST /model/*/invoke-with-response-stream",
    "POST /model/*/converse",
    "POST /model/*/converse-stream",
    "GET /foundation-models",
    "GET /inference-profiles",
  ],
};
