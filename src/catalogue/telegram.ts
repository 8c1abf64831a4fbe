import type { EntryMessage, ServiceEntry } from "./ServiceEntry.ts";

/** What a bot says, by the method that sends it: texts, and what Telegram would fetch from an address. */
const TEXTS: Readonly<Record<string, readonly string[]>> = {
  sendMessage: ["/text"],
  editMessageText: ["/text"],
  sendMessageDraft: ["/text"],
  editMessageCaption: ["/caption"],
  copyMessage: ["/caption"],
  sendPhoto: ["/caption", "/photo"],
  sendVideo: ["/caption", "/video", "/thumbnail", "/cover"],
  sendAnimation: ["/caption", "/animation", "/thumbnail"],
  sendAudio: ["/caption", "/audio", "/thumbnail"],
  sendVoice: ["/caption", "/voice"],
  sendDocument: ["/caption", "/document", "/thumbnail"],
  sendMediaGroup: ["/media"],
  editMessageMedia: ["/media"],
  sendPoll: ["/question", "/options", "/explanation"],
};

const WITH_PREVIEW: readonly string[] = ["sendMessage", "editMessageText"];

/**
 * https://core.telegram.org/bots/api#making-requests: the token stands in the path. Media may be
 * named by an address, which Telegram fetches (#sending-files), so these are looked at like links.
 */
export const telegram: ServiceEntry = {
  name: "telegram",
  title: "Telegram bots",
  hosts: ["https://api.telegram.org"],
  credential: [{ path: "/bot{secret}" }, { path: "/file/bot{secret}" }],
  phantom: "7{digits:9}:AA{base64url:33}",
  variable: "TELEGRAM_BOT_TOKEN",
  allow: ["GET /bot{secret}/*", "POST /bot{secret}/*", "GET /file/bot{secret}/**"],
  // Where updates are sent to is not the bot's to say, nor from which server.
  deny: ["* /bot{secret}/setWebhook", "* /bot{secret}/logOut", "* /bot{secret}/close"],
  messages: Object.entries(TEXTS).map(([method, texts]): EntryMessage => {
    const call = `* /bot{secret}/${method}`;
    if (!WITH_PREVIEW.includes(method)) return { call, texts };
    return { call, texts, previewOff: { "/link_preview_options": { is_disabled: true } } };
  }),
  // Without parse_mode nothing in the text is markup (#formatting-options).
  notify: {
    path: "/bot{secret}/sendMessage",
    body: { chat_id: "{to}", text: "{text}", link_preview_options: { is_disabled: true } },
    to: { pattern: "-?[0-9]{1,20}|@[A-Za-z][A-Za-z0-9_]{3,31}", example: "123456" },
    saysOk: true,
  },
  channel: "telegram",
};
