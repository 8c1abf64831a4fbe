import type { ServiceEntry } from "./ServiceEntry.ts";

/**
 * https://developers.home-assistant.io/docs/api/rest and /docs/api/websocket: a long-lived token, in a
 * header or in the first frame of the WebSocket. States can be seen; which services may be called a
 * grant says, as "POST /api/services/light/*". Over the WebSocket everything may be done that the
 * token's user may, so a grant has to name it: "GET /api/websocket".
 */
export const homeAssistant: ServiceEntry = {
  name: "home-assistant",
  title: "Home Assistant",
  hosts: [],
  ownHost: true,
  credential: [
    { header: "authorization", prefix: "Bearer " },
    { websocket: "/access_token", where: { "/type": "auth" } },
  ],
  phantom: "eyJhbGciOiJIUzI1NiIsInR5cCI6IkpXVCJ9.{base64url:96}.{base64url:43}",
  variable: "HASS_TOKEN",
  allow: [
    "GET /api/",
    "GET /api/config",
    "GET /api/states",
    "GET /api/states/*",
    "GET /api/services",
    "GET /api/history/period/**",
    "GET /api/logbook/**",
    "GET /api/calendars/**",
  ],
};
