import type { ServiceEntry } from "./ServiceEntry.ts";

/**
 * https://docs.slack.dev/apis/events-api/using-socket-mode: the app's token opens a WebSocket, whose
 * address carries a ticket instead of a credential.
 */
export const slackApp: ServiceEntry = {
  name: "slack-app",
  title: "Slack: the app's token (xapp-), for socket mode",
  hosts: [
    "https://slack.com",
    "https://wss-primary.slack.com",
    "https://wss-backup.slack.com",
    "https://wss-mobile.slack.com",
  ],
  credential: [{ header: "authorization", prefix: "Bearer " }],
  phantom: "xapp-1-A{alphanumeric:10}-{digits:13}-{hex:64}",
  variable: "SLACK_APP_TOKEN",
  allow: ["POST slack.com/api/apps.connections.open"],
  anonymous: [
    "GET wss-primary.slack.com/link/",
    "GET wss-backup.slack.com/link/",
    "GET wss-mobile.slack.com/link/",
  ],
};
