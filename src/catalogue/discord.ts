import type { ServiceEntry } from "./ServiceEntry.ts";

/**
 * https://discord.com/developers/docs/reference#authentication and `/topics/gateway`: the token
 * stands in a header, and in the first frames of the gateway's WebSocket.
 *
 * A token's first part is the application's id in base64. Clients that read it there would use
 * whatever the phantom says, so the phantom's says nothing: `MA` decodes to "0" and a control
 * character, and clients ask for their id instead.
 */
export const discord: ServiceEntry = {
  name: "discord",
  title: "Discord bots",
  hosts: [
    "https://discord.com",
    "https://gateway.discord.gg",
    // Where the gateway sends clients to take up a session; another name costs them the session.
    "https://gateway-us-east1-b.discord.gg",
    "https://gateway-us-east1-c.discord.gg",
    "https://gateway-us-east1-d.discord.gg",
  ],
  credential: [{ header: "authorization", prefix: "Bot " }],
  phantom: "MA{alphanumeric:24}.G{alphanumeric:5}.{base64url:38}",
  variable: "DISCORD_BOT_TOKEN",
  /**
   * What a bot needs to talk and to look around. Left out, for what they give away: webhooks (their
   * URL is a credential that works anywhere, and anybody's webhook takes messages out), and the
   * administration of servers, channels, roles and members.
   */
  allow: [
    "GET /",
    "GET /api/v10/gateway/bot",
    "GET /api/v10/oauth2/applications/@me",
    "GET /api/v10/applications/@me",
    "GET /api/v10/applications/*/commands",
    "POST /api/v10/applications/*/commands",
    "PUT /api/v10/applications/*/commands",
    "PATCH /api/v10/applications/*/commands/*",
    "DELETE /api/v10/applications/*/commands/*",
    "GET /api/v10/users/*",
    "GET /api/v10/users/@me/guilds",
    "POST /api/v10/users/@me/channels",
    "GET /api/v10/guilds/*",
    "GET /api/v10/guilds/*/channels",
    "GET /api/v10/guilds/*/emojis",
    "GET /api/v10/guilds/*/roles",
    "GET /api/v10/guilds/*/members/*",
    "GET /api/v10/guilds/*/threads/active",
    "GET /api/v10/channels/*",
    "GET /api/v10/channels/*/messages",
    "GET /api/v10/channels/*/messages/*",
    "POST /api/v10/channels/*/messages",
    "PATCH /api/v10/channels/*/messages/*",
    "DELETE /api/v10/channels/*/messages/*",
    "GET /api/v10/channels/*/messages/*/reactions/*",
    "PUT /api/v10/channels/*/messages/*/reactions/*/@me",
    "DELETE /api/v10/channels/*/messages/*/reactions/*/@me",
    "POST /api/v10/channels/*/messages/*/threads",
    "POST /api/v10/channels/*/threads",
    "POST /api/v10/channels/*/typing",
    "POST /api/v10/interactions/*/*/callback",
  ],
  channel: "discord",
  plugin: "@openclaw/discord",
};
