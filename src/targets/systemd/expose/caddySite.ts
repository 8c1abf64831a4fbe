/** What one bot's site is made of. */
export interface Site {
  readonly bot: string;
  /** A host name, checked by the declaration. */
  readonly domain: string;
  /** Of the bot's ingress, on 127.0.0.1. */
  readonly ingress: number;
  /** `internal`: signed by Caddy's own authority, for tests and for networks of one's own. */
  readonly issuer: "acme" | "internal";
  readonly port: number;
  readonly log: string;
}

/** Largest request body: OpenClaw's own attachments are smaller. */
const BODY = "16MB";

/** Headers that every reply gets, whatever the gateway says. */
const HEADERS: readonly (readonly [name: string, value: string])[] = [
  ["Strict-Transport-Security", "max-age=31536000; includeSubDomains"],
  ["X-Content-Type-Options", "nosniff"],
  ["X-Frame-Options", "DENY"],
  ["Referrer-Policy", "no-referrer"],
  ["Permissions-Policy", "camera=(), geolocation=(), payment=(), usb=()"],
  ["Cross-Origin-Opener-Policy", "same-origin"],
  ["Cross-Origin-Resource-Policy", "same-origin"],
];

/**
 * A Caddyfile (caddyserver.com/docs/caddyfile) for Caddy 2.6 and later. TLS ends here; behind it is
 * the bot's ingress, which checks the token and takes visitors from the loopback alone, so Host and
 * Origin are the loopback's from here on, after it was checked here that they are the site's own.
 */
export function caddyfile(sites: readonly Site[], storage: string): string {
  return [
    "# Written by Seawall. seawall-web.service runs Caddy with it.",
    "{",
    "\tadmin off",
    // Port 443 is all there is: no redirects from 80.
    "\tauto_https disable_redirects",
    `\tstorage file_system ${storage}`,
    "\tservers {",
    "\t\tprotocols h1 h2",
    "\t\tmax_header_size 32KB",
    "\t\ttimeouts {",
    "\t\t\tread_header 10s",
    "\t\t\tread_body 60s",
    "\t\t\tidle 2m",
    "\t\t}",
    "\t}",
    "}",
    ...sites.flatMap(siteLines),
    "",
  ].join("\n");
}

function siteLines({ bot, domain, ingress, issuer, port, log }: Site): string[] {
  const origin = port === 443 ? `https://${domain}` : `https://${domain}:${port}`;
  const loopback = `127.0.0.1:${ingress}`;
  return [
    "",
    `# ${bot}`,
    `${origin} {`,
    ...(issuer === "internal"
      ? ["\ttls internal"]
      : // The challenge over HTTP needs a port that isn't open.
        ["\ttls {", "\t\tissuer acme {", "\t\t\tdisable_http_challenge", "\t\t}", "\t}"]),
    "\tlog {",
    `\t\toutput file ${log} {`,
    "\t\t\troll_size 16MiB",
    "\t\t\troll_keep 4",
    "\t\t}",
    "\t\tformat json",
    "\t}",
    "\theader {",
    ...HEADERS.map(([name, value]) => `\t\t${name} "${value}"`),
    "\t\t-Server",
    "\t\tdefer",
    "\t}",
    // A page of another site may not speak to the gateway in its visitor's name.
    "\t@foreign {",
    "\t\theader Origin *",
    `\t\tnot header Origin ${origin}`,
    "\t}",
    "\trespond @foreign 403",
    "\trequest_body {",
    `\t\tmax_size ${BODY}`,
    "\t}",
    `\treverse_proxy ${loopback} {`,
    `\t\theader_up Host ${loopback}`,
    `\t\theader_up Origin "^.+$" http://${loopback}`,
    // Streams and WebSockets are passed on as they come.
    "\t\tflush_interval -1",
    "\t\ttransport http {",
    "\t\t\tdial_timeout 5s",
    "\t\t}",
    "\t}",
    "}",
  ];
}
