import type { ServiceEntry } from "./ServiceEntry.ts";

/**
 * Messages between bots of one deployment: a grant's `to` says which bots it may write to, `from` whose
 * messages it takes. Who sends is told by the socket and never by the message.
 */
export const bridge: ServiceEntry = {
  name: "bridge",
  title: "Messages between bots",
  hosts: [],
  credential: [],
  phantom: "",
  allow: [],
  program: { options: ["to", "from"] },
  command: {
    name: "bridge",
    about: "write to other bots of your owner, and read what they wrote to you",
    operations: {
      send: {
        about: "send a text to another bot; it is kept until that bot has it",
        input: {
          to: { type: "string", required: true, about: "the bot's name", min: 1, max: 24 },
          text: { type: "string", required: true, about: "what to tell it", min: 1, max: 65_536 },
          key: {
            type: "string",
            about:
              "a name of your own for this message: sent again with the same, it is one message",
            min: 1,
            max: 100,
          },
        },
        handler: "bridge",
      },
      receive: {
        about: "read what waits for you; it comes again until you acknowledge it",
        input: {
          most: { type: "integer", about: "how many messages at once", min: 1, max: 50 },
          wait: {
            type: "integer",
            about: "seconds to wait for one, if none is there",
            min: 0,
            max: 60,
          },
        },
        handler: "bridge",
      },
      acknowledge: {
        about: "let go of messages that you have dealt with",
        input: {
          ids: { type: "array", required: true, about: 'their ids, as ["…"]', min: 1, max: 50 },
        },
        handler: "bridge",
      },
      status: { about: "whom you may write to, and how much waits for you", handler: "bridge" },
    },
  },
};
