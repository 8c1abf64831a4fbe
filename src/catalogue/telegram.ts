import type { ServiceEntry } from "./ServiceEntry.ts";

/** https://core.telegram.org/bots/api#making-requests: the token stands in the path. */
export const telegram: ServiceEntry = {
  name: "telegram",
  title: "Telegram bots",
  hosts: ["https://api.telegram.org"],
  credential: [{ path: "/bot{secret}" }, { path: "/file/bot{secret}" }],
  phantom: "7{digits:9}:AA{base64url:33}",
  variable: "TELEGRAM_BOT_TOKEN",
  allow: ["GET /bot{secret}/*", "POST /bot{secret}/*", "GET /file/bot{secret}/**"],
  channel: "telegram",
};
