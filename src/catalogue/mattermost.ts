import type { EntryMessage, ServiceEntry } from "./ServiceEntry.ts";

const TEXTS: readonly string[] = ["/message", "/props"];
/** The server then makes no preview and fetches no image (getEmbedsAndImages in its post_metadata.go). */
const NO_PREVIEWS = { "/props/unsafe_links": "true" };

const MESSAGES: readonly EntryMessage[] = [
  { call: "POST /api/v4/posts", texts: TEXTS, previewOff: NO_PREVIEWS },
  { call: "PUT /api/v4/posts/*", texts: TEXTS, previewOff: NO_PREVIEWS },
  { call: "PUT /api/v4/posts/*/patch", texts: TEXTS, previewOff: NO_PREVIEWS },
];

/**
 * https://developers.mattermost.com/api-documentation (authentication, WebSocket): the token of a
 * bot account stands in a header, and in the first frame of the WebSocket.
 */
export const mattermost: ServiceEntry = {
  name: "mattermost",
  title: "Mattermost bots",
  hosts: [],
  ownHost: true,
  credential: [
    { header: "authorization", prefix: "Bearer " },
    { websocket: "/data/token", where: { "/action": "authentication_challenge" } },
  ],
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
  messages: MESSAGES,
  notify: {
    path: "/api/v4/posts",
    body: { channel_id: "{to}", message: "{text}", props: { unsafe_links: "true" } },
    to: { pattern: "[a-z0-9]{26}", example: "4xp9fdt77pncbef59f4k1qe83o" },
  },
  channel: "mattermost",
  plugin: "@openclaw/mattermost",
};
