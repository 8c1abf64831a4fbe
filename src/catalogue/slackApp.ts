import type { ServiceEntry } from "./ServiceEntry.ts";

/**
 * https://docs.slack.dev/apis/events-api/using-socket-mode: the app's token opens a WebSocket, whose
 * address carries a ticket instead of a credential.
 *
 * A token's third part is the app's id. OpenClaw's plugin reads it there (`parseApiAppIdFromAppToken`) and drops events
 * of any other app, so the phantom has none that it could read, and the plugin learns the id from the first event.
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
  phantom: "xapp-1-_{alphanumeric:10}-{digits:13}-{hex:64}",
  variable: "SLACK_APP_TOKEN",
  allow: ["POST slack.com/api/apps.connections.open"],
  anonymous: [
    "GET wss-primary.slack.com/link/",
    "GET wss-backup.slack.com/link/",
    "GET wss-mobile.slack.com/link/",
  ],
};
