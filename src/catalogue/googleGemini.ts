import type { ServiceEntry } from "./ServiceEntry.ts";

/**
 * https://ai.google.dev/gemini-api/docs/api-key. The key in the query (`?key=`) is not accepted:
 * queries end up in logs, and every current client sends the header.
 */
export const googleGemini: ServiceEntry = {
  name: "google-gemini",
  title: "Google's Gemini models",
  hosts: ["https://generativelanguage.googleapis.com"],
  credential: [
    { header: "x-goog-api-key" },
    // The OpenAI-compatible paths take the key as a bearer token.
    { header: "authorization", prefix: "Bearer " },
  ],
  phantom: "AIzaSy{base64url:33}",
  variable: "GEMINI_API_KEY",
  // A Gemini path names its method after a colon: /v1beta/models/gemini-2.5-flash:generateContent
  allow: [
    "GET /v1beta/models",
    "GET /v1beta/models/*",
    "POST /v1beta/models/*",
    "GET /v1/models",
    "GET /v1/models/*",
    "POST /v1/models/*",
    "POST /v1beta/openai/chat/completions",
    "POST /v1beta/openai/embeddings",
    "GET /v1beta/openai/models",
  ],
  provider: "google",
  usage: "gemini",
};
