import type { ServiceEntry } from "./ServiceEntry.ts";

/**
 * https://developers.facebook.com/docs/whatsapp/cloud-api: Meta's own API for businesses, by an access token. OpenClaw's
 * WhatsApp channel is WhatsApp Web instead: its keys are made on pairing, live in the bot and never leave it, so
 * there is nothing to inject; it needs tunnels (docs/services.md).
 */
export const whatsapp: ServiceEntry = {
  name: "whatsapp",
  title: "WhatsApp's Cloud API",
  hosts: ["https://graph.facebook.com", "https://lookaside.fbsbx.com"],
  credential: [{ header: "authorization", prefix: "Bearer " }],
  phantom: "EAA{alphanumeric:180}",
  variable: "WHATSAPP_ACCESS_TOKEN",
  allow: [
    "POST graph.facebook.com/*/*/messages",
    "POST graph.facebook.com/*/*/media",
    "GET lookaside.fbsbx.com/whatsapp_business/attachments/",
  ],
  messages: [
    {
      call: "POST /*/*/messages",
      texts: ["/text", "/image", "/video", "/document", "/interactive", "/template"],
      previewOff: { "/text/preview_url": false },
    },
  ],
  command: {
    name: "whatsapp",
    about: "send WhatsApp messages by your owner's business account",
    operations: {
      send: {
        about: "send a text",
        input: {
          phoneNumberId: { type: "string", required: true, about: "id of the number to send from" },
          messaging_product: {
            type: "string",
            required: true,
            about: "whatsapp",
            oneOf: ["whatsapp"],
          },
          to: { type: "string", required: true, about: "the number to write to, as 15550100" },
          text: { type: "object", required: true, about: 'as {"body":"…"}' },
        },
        call: "POST /v23.0/{phoneNumberId}/messages",
        body: "json",
      },
    },
  },
};
