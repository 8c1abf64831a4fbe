import type { ServiceEntry } from "./ServiceEntry.ts";

/** What every server of models with OpenAI's interface has, and no more: nothing that loads or deletes models. */
const COMPATIBLE: readonly string[] = [
  "POST /v1/chat/completions",
  "POST /v1/completions",
  "POST /v1/embeddings",
  "POST /v1/responses",
  "GET /v1/models",
  "GET /v1/models/*",
];

/**
 * https://docs.ollama.com/api, on the host or a machine of yours: no key. OpenClaw's plugin wants one all the
 * same, and sends the phantom. Models are shared: pulling, copying and deleting them is not the bot's.
 */
export const ollama: ServiceEntry = {
  name: "ollama",
  title: "Ollama: models of your own",
  hosts: ["http://127.0.0.1:11434"],
  ownHost: true,
  keyless: true,
  credential: [{ header: "authorization", prefix: "Bearer " }],
  phantom: "{hex:40}",
  variable: "OLLAMA_API_KEY",
  allow: [
    "GET /",
    "GET /api/tags",
    "GET /api/ps",
    "GET /api/version",
    "POST /api/show",
    "POST /api/chat",
    "POST /api/generate",
    "POST /api/embed",
    "POST /api/embeddings",
    ...COMPATIBLE,
  ],
  provider: "ollama",
  usage: "openai",
};

/**
 * llama.cpp, vLLM, LM Studio, LocalAI and others that speak as OpenAI does, without a key. OpenClaw is told of the
 * models in `settings.models.providers`.
 */
export const localModels: ServiceEntry = {
  name: "local-models",
  title: "A server of your own with OpenAI's interface",
  hosts: [],
  ownHost: true,
  keyless: true,
  credential: [{ header: "authorization", prefix: "Bearer " }],
  phantom: "sk-{base64url:40}",
  variable: "LOCAL_MODELS_API_KEY",
  allow: COMPATIBLE,
  usage: "openai",
};
