import type { Group } from "../Case.ts";
import { credentials } from "./credentials.ts";
import { dns } from "./dns.ts";
import { h2cases } from "./h2.ts";
import { headers } from "./headers.ts";
import { proxy } from "./proxy.ts";
import { slow } from "./slow.ts";
import { smuggling } from "./smuggling.ts";
import { targets } from "./targets.ts";
import { tls } from "./tls.ts";
import { upstream } from "./upstream.ts";
import { websocket } from "./websocket.ts";

/** Every group of cases; a new one is a file and a line. */
export const groups: readonly Group[] = [
  smuggling,
  targets,
  headers,
  credentials,
  upstream,
  proxy,
  slow,
  dns,
  tls,
  h2cases,
  websocket,
];
