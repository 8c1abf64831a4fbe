import type { ServiceEntry } from "./ServiceEntry.ts";

/**
 * https://developers.mattermost.com/api-documentation (authentication, WebSocket): the token of a
 * bot account stands in a header, and in the first frame of the WebSocket.
 */
export const mattermost: ServiceEntry = {
  name: "mattermost",
  title: "Mattermost bots",
  hosts: [],
  ownHost: true,
  credential: [{ header: "authorization", prefix: "Bearer " }],
  // The server makes 26 lower-case letters and digits.
  phantom: "{hex:26}",
  variable: "MATTERMOST_BOT_TOKEN",
  /**
   * What a bot needs to talk and to look around. Left out, since each answers with a credential of its
   * own: logins, personal access tokens, webhooks, slash commands, OAuth applications.
   */
  allow: [
    "GET /api/v4/websocket",
    "GET /api/v4/users/*",
    "GET /api/v4/users/username/*",
    "GET /api/v4/users/*/channels",
    "GET /api/v4/users/*/teams",
    "POST /api/v4/users/ids",
    "POST /api/v4/users/search",
    "POST /api/v4/users/me/typing",
    "GET /api/v4/teams/*/channels/name/*",
    "GET /api/v4/teams/*/members",
    "GET /api/v4/channels/*",
    "GET /api/v4/channels/*/posts",
    "POST /api/v4/channels/direct",
    "GET /api/v4/posts/*",
    "GET /api/v4/posts/*/thread",
    "POST /api/v4/posts",
    "PUT /api/v4/posts/*",
    "PUT /api/v4/posts/*/patch",
    "DELETE /api/v4/posts/*",
    "POST /api/v4/reactions",
    "DELETE /api/v4/users/*/posts/*/reactions/*",
    "POST /api/v4/files",
    "GET /api/v4/files/*",
    "GET /api/v4/files/*/info",
  ],
  channel: "mattermost",
  plugin: "@openclaw/mattermost",
};
