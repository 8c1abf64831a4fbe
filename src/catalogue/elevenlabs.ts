import type { ServiceEntry } from "./ServiceEntry.ts";

/** https://elevenlabs.io/docs/api-reference/authentication. Voices can't be made or changed. */
export const elevenlabs: ServiceEntry = {
  name: "elevenlabs",
  title: "ElevenLabs' voices",
  hosts: ["https://api.elevenlabs.io"],
  credential: [{ header: "xi-api-key" }],
  phantom: "sk_{hex:48}",
  variable: "ELEVENLABS_API_KEY",
  allow: [
    "POST /v1/text-to-speech/**",
    "GET /v1/text-to-speech/*/stream-input",
    "POST /v1/speech-to-text",
    "GET /v1/voices",
    "GET /v1/voices/*",
    "GET /v2/voices",
    "GET /v1/models",
  ],
};
