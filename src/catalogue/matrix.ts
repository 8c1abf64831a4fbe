import type { ServiceEntry } from "./ServiceEntry.ts";

const V3 = "/_matrix/client/v3";

/**
 * https://spec.matrix.org/latest/client-server-api/#client-authentication: an access token, in a header (in the
 * query it is deprecated, and ends up in logs). What a bot needs to talk and to look around. Left out: logging in and
 * registering (both answer with tokens), passwords, devices of others, pushers (which send everything elsewhere), and
 * deactivating.
 *
 * Also left out is what end-to-end encryption takes, encrypted events and messages to devices: nothing could be
 * looked at in them. A bot talks in rooms that aren't encrypted.
 */
export const matrix: ServiceEntry = {
  name: "matrix",
  title: "Matrix",
  hosts: [],
  ownHost: true,
  credential: [{ header: "authorization", prefix: "Bearer " }],
  phantom: "syt_{base64url:30}_{alphanumeric:20}_{alphanumeric:6}",
  variable: "MATRIX_ACCESS_TOKEN",
  allow: [
    // OpenClaw's plugin sends its token there, too.
    "GET /_matrix/client/versions",
    `GET ${V3}/account/whoami`,
    `GET ${V3}/capabilities`,
    `GET ${V3}/sync`,
    `POST ${V3}/user/*/filter`,
    `GET ${V3}/user/*/filter/*`,
    `GET ${V3}/user/*/account_data/*`,
    `PUT ${V3}/user/*/account_data/m.direct`,
    `GET ${V3}/pushrules/**`,
    `GET ${V3}/joined_rooms`,
    `GET ${V3}/profile/**`,
    `GET ${V3}/directory/room/*`,
    `POST ${V3}/join/*`,
    `POST ${V3}/rooms/*/join`,
    `POST ${V3}/rooms/*/leave`,
    `GET ${V3}/rooms/*/joined_members`,
    `GET ${V3}/rooms/*/members`,
    `GET ${V3}/rooms/*/messages`,
    `GET ${V3}/rooms/*/event/*`,
    `GET ${V3}/rooms/*/context/*`,
    `GET ${V3}/rooms/*/state`,
    `GET ${V3}/rooms/*/state/**`,
    "GET /_matrix/client/v1/rooms/*/relations/**",
    `PUT ${V3}/rooms/*/send/m.room.message/*`,
    `PUT ${V3}/rooms/*/send/m.reaction/*`,
    `PUT ${V3}/rooms/*/redact/*/*`,
    `PUT ${V3}/rooms/*/typing/*`,
    `POST ${V3}/rooms/*/receipt/*/*`,
    `POST ${V3}/rooms/*/read_markers`,
    "GET /_matrix/client/v1/media/download/**",
    "GET /_matrix/client/v1/media/thumbnail/**",
    "POST /_matrix/media/v3/upload",
    "GET /_matrix/client/v1/media/config",
  ],
  anonymous: ["GET /_matrix/client/versions", "GET /.well-known/matrix/client"],
  // A server makes previews for whoever reads, at the reader's wish; nothing that is sent switches them off.
  messages: [
    {
      call: `PUT ${V3}/rooms/*/send/m.room.message/*`,
      // An edit has its text in m.new_content.
      texts: ["/body", "/formatted_body", "/m.new_content"],
    },
    { call: `PUT ${V3}/rooms/*/send/m.reaction/*`, texts: ["/m.relates_to"] },
  ],
  channel: "matrix",
  plugin: "@openclaw/matrix",
};
