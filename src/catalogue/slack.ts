import type { ServiceEntry } from "./ServiceEntry.ts";

/**
 * https://docs.slack.dev/authentication/tokens: the bot's token, in a header or a form. What a bot
 * needs to talk and to look around; no administration. Texts in blocks and attachments are looked at
 * as well; links in them are unfurled only where `unfurl_links` says so.
 *
 * Left out: streams (chat.appendStream), whose pieces can't be looked at as one text, and uploads, which go
 * to an address that is a permission of its own, of whichever workspace it was made in.
 *
 * The channel listens in socket mode, which `slackApp` is for: nothing of the bot's can be called from outside.
 */
export const slack: ServiceEntry = {
  name: "slack",
  title: "Slack: the bot's token (xoxb-)",
  hosts: ["https://slack.com", "https://files.slack.com"],
  credential: [
    { header: "authorization", prefix: "Bearer " },
    { form: "token" },
    { multipart: "token" },
  ],
  phantom: "xoxb-{digits:12}-{digits:13}-{alphanumeric:24}",
  variable: "SLACK_BOT_TOKEN",
  allow: [
    "POST slack.com/api/api.test",
    "POST slack.com/api/auth.test",
    "POST slack.com/api/bots.info",
    "POST slack.com/api/chat.postMessage",
    "POST slack.com/api/chat.postEphemeral",
    "POST slack.com/api/chat.update",
    "POST slack.com/api/chat.delete",
    "POST slack.com/api/conversations.info",
    "POST slack.com/api/conversations.list",
    "POST slack.com/api/conversations.members",
    "POST slack.com/api/conversations.history",
    "POST slack.com/api/conversations.replies",
    "POST slack.com/api/conversations.open",
    "POST slack.com/api/emoji.list",
    "POST slack.com/api/reactions.add",
    "POST slack.com/api/reactions.remove",
    "POST slack.com/api/reactions.get",
    "POST slack.com/api/files.info",
    "POST slack.com/api/team.info",
    "POST slack.com/api/users.info",
    "POST slack.com/api/users.list",
    "GET files.slack.com/files-pri/**",
  ],
  messages: [
    {
      call: "POST /api/chat.postMessage",
      texts: ["/text", "/blocks", "/attachments"],
      previewOff: { "/unfurl_links": false, "/unfurl_media": false },
    },
    { call: "POST /api/chat.postEphemeral", texts: ["/text", "/blocks", "/attachments"] },
    { call: "POST /api/chat.update", texts: ["/text", "/blocks", "/attachments"] },
  ],
  // https://docs.slack.dev/reference/methods/chat.postMessage: errors come with 200 as well.
  notify: {
    path: "/api/chat.postMessage",
    body: {
      channel: "{to}",
      text: "{text}",
      mrkdwn: false,
      parse: "none",
      link_names: false,
      unfurl_links: false,
      unfurl_media: false,
    },
    to: { pattern: "[CDGU][A-Z0-9]{5,30}", example: "C0123456789" },
    saysOk: true,
  },
  channel: "slack",
  channelNeeds: "slack-app",
  plugin: "@openclaw/slack",
};
