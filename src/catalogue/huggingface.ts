import type { ServiceEntry } from "./ServiceEntry.ts";

/** https://huggingface.co/docs/inference-providers and /docs/hub/api: to run models and look them up. */
export const huggingface: ServiceEntry = {
  name: "huggingface",
  title: "Hugging Face's router and hub",
  hosts: ["https://router.huggingface.co", "https://huggingface.co"],
  credential: [{ header: "authorization", prefix: "Bearer " }],
  phantom: "hf_{alphanumeric:34}",
  variable: "HF_TOKEN",
  allow: [
    "POST router.huggingface.co/v1/chat/completions",
    "POST router.huggingface.co/v1/responses",
    "GET router.huggingface.co/v1/models",
    "GET huggingface.co/api/whoami-v2",
    "GET huggingface.co/api/models",
    "GET huggingface.co/api/models/**",
    "GET huggingface.co/api/datasets",
    "GET huggingface.co/api/datasets/**",
  ],
  anonymous: [
    "GET router.huggingface.co/v1/models",
    "GET huggingface.co/api/models",
    "GET huggingface.co/api/models/**",
  ],
  provider: "huggingface",
  usage: "openai",
};
