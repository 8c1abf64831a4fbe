import type { ServiceEntry } from "./ServiceEntry.ts";

/**
 * Speech to text by a server of the owner's: whisper.cpp's own (https://github.com/ggml-org/whisper.cpp,
 * examples/server), or any that speaks OpenAI's API. Which of the two it is shows when it is asked.
 */
export const transcribe: ServiceEntry = {
  name: "transcribe",
  title: "Speech to text by whisper.cpp or an OpenAI-compatible server",
  hosts: [],
  ownHost: true,
  keyless: true,
  // Clients of OpenAI's API insist on a key.
  credential: [{ header: "authorization", prefix: "Bearer " }],
  phantom: "sk-{alphanumeric:32}",
  allow: ["POST /v1/audio/transcriptions", "POST /inference"],
  command: {
    name: "transcribe",
    about: "turn a recording into text",
    operations: {
      audio: {
        about: "the words of a recording: wav, mp3, ogg, opus, flac, m4a or webm, as --input FILE",
        input: {
          language: {
            type: "string",
            about: 'what is spoken, as "en"; found out if left out',
            min: 2,
            max: 12,
          },
          prompt: {
            type: "string",
            about: "names and words that may occur, for their spelling",
            min: 1,
            max: 1000,
          },
          segments: { type: "boolean", about: "also give its parts with their times in seconds" },
          model: {
            type: "string",
            about: "one of the server's, if it has several",
            min: 1,
            max: 100,
          },
        },
        handler: "transcribe",
        takesBody: true,
      },
    },
  },
};
