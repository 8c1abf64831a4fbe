import type { EntryMessage, ServiceEntry } from "./ServiceEntry.ts";

const GATEWAYS: readonly string[] = [
  "gateway.discord.gg",
  // Where the gateway sends clients to take up a session. A name that isn't here costs them what
  // was said in the meantime: after some tries they log in anew at the first.
  "gateway-us-east1-b.discord.gg",
  "gateway-us-east1-c.discord.gg",
  "gateway-us-east1-d.discord.gg",
];

/**
 * What a bot needs to talk and to look around. Left out, for what they give away: webhooks (their
 * address is a credential that works anywhere, and with anybody's a bot could carry things out), so
 * also slash commands, which are answered through them; and the administration of servers, channels,
 * roles and members.
 */
const CALLS: readonly string[] = [
  "GET /gateway/bot",
  "GET /oauth2/applications/@me",
  "GET /users/*",
  "GET /users/@me/guilds",
  "POST /users/@me/channels",
  "GET /guilds/*",
  "GET /guilds/*/channels",
  "GET /guilds/*/emojis",
  "GET /guilds/*/members/*",
  "GET /guilds/*/roles",
  "GET /guilds/*/threads/active",
  "GET /channels/*",
  "GET /channels/*/messages",
  "GET /channels/*/messages/*",
  "POST /channels/*/messages",
  "PATCH /channels/*/messages/*",
  "DELETE /channels/*/messages/*",
  "GET /channels/*/messages/*/reactions/*",
  "PUT /channels/*/messages/*/reactions/*/@me",
  "DELETE /channels/*/messages/*/reactions/*/@me",
  "POST /channels/*/messages/*/threads",
  "POST /channels/*/threads",
  "POST /channels/*/typing",
];

/** SUPPRESS_EMBEDS of https://discord.com/developers/docs/resources/message#message-object-message-flags */
const NO_PREVIEWS = { "/flags": 4 };
const TEXTS: readonly string[] = ["/content", "/embeds", "/components", "/poll"];

const MESSAGES: readonly EntryMessage[] = [
  { call: "POST /api/v10/channels/*/messages", texts: TEXTS, previewOff: NO_PREVIEWS },
  { call: "PATCH /api/v10/channels/*/messages/*", texts: TEXTS, previewOff: NO_PREVIEWS },
  { call: "POST /api/v10/channels/*/messages/*/threads", texts: ["/name"] },
  { call: "POST /api/v10/channels/*/threads", texts: ["/name", "/message"] },
];

/**
 * https://discord.com/developers/docs/reference#authentication and `/topics/gateway`: the token
 * stands in a header, and in the first message to the gateway (2 IDENTIFY, 6 RESUME).
 *
 * A token's first part is the application's id in base64. Clients that read it there would use
 * whatever the phantom says, so the phantom's says nothing: `MA` decodes to "0" and a control
 * character, and clients ask for their id instead.
 */
export const discord: ServiceEntry = {
  name: "discord",
  title: "Discord bots",
  hosts: ["discord.com", ...GATEWAYS, "cdn.discordapp.com", "media.discordapp.net"].map(
    (name) => `https://${name}`,
  ),
  credential: [
    { header: "authorization", prefix: "Bot " },
    { websocket: "/d/token", where: { "/op": 2 } },
    { websocket: "/d/token", where: { "/op": 6 } },
  ],
  phantom: "MA{alphanumeric:24}.G{alphanumeric:5}.{base64url:38}",
  variable: "DISCORD_BOT_TOKEN",
  allow: [
    ...CALLS.map((call) => call.replace(" /", " discord.com/api/v10/")),
    ...GATEWAYS.map((name) => `GET ${name}/`),
  ],
  // What comes over the gateway compressed, or as Erlang's terms, can't be searched.
  deny: [
    { call: "GET /", query: { compress: "zlib-stream" } },
    { call: "GET /", query: { compress: "zstd-stream" } },
    { call: "GET /", query: { encoding: "etf" } },
  ],
  // What people attach; the address itself is the permission.
  anonymous: [
    "GET cdn.discordapp.com/attachments/**",
    "GET cdn.discordapp.com/stickers/*",
    "GET media.discordapp.net/attachments/**",
    "GET media.discordapp.net/stickers/*",
  ],
  messages: MESSAGES,
  // The first of `hosts`. Nobody is mentioned, whatever the text has (message#allowed-mentions-object).
  notify: {
    path: "/api/v10/channels/{to}/messages",
    body: { content: "{text}", flags: 4, allowed_mentions: { parse: [] } },
    to: { pattern: "[0-9]{1,20}", example: "1203044056677889900" },
  },
  channel: "discord",
  plugin: "@openclaw/discord",
};
