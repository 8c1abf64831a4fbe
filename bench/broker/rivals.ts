import { existsSync, mkdirSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import type { Contender, Job, RunningContender } from "./Contender.ts";
import { MissingError } from "./Contender.ts";
import {
  familyOf,
  freePort,
  PROXY_CORE,
  requireProgram,
  startOn,
  untilOpen,
  type Started,
} from "./processes.ts";

/** Other proxies, each set up to do the same job: phantom checked, header swapped, upstream kept alive, TLS verified. */
export const RIVALS: readonly Contender[] = [
  {
    name: "nginx",
    from: "Debian's nginx-light",
    async start(job) {
      const home = homeOf(job, "nginx");
      const [port, streams] = [await freePort(), await freePort()];
      requireProgram("nginx");
      const listen = (at: number): string =>
        `listen 127.0.0.1:${at}${job.tls ? " ssl" : ""} backlog=4096; ${job.tls ? `ssl_certificate ${home}/chain.pem; ssl_certificate_key ${home}/key.pem;` : ""}`;
      const pass = (name: string): string =>
        `proxy_pass ${job.tls ? "https" : "http"}://${name}; proxy_http_version 1.1; proxy_set_header Connection ""; proxy_set_header Host $http_host; proxy_set_header x-api-key "${job.secret}"; ` +
        (job.tls
          ? `proxy_ssl_verify on; proxy_ssl_trusted_certificate ${home}/ca.pem; proxy_ssl_name 127.0.0.1;`
          : "");
      writeFileSync(
        join(home, "nginx.conf"),
        `daemon off; worker_processes 1; pid ${home}/pid; error_log stderr crit;
events { worker_connections 8192; }
http { access_log off; keepalive_requests 100000000; keepalive_timeout 3600s;
  client_body_temp_path ${home}/body; proxy_temp_path ${home}/p; fastcgi_temp_path ${home}/f; uwsgi_temp_path ${home}/u; scgi_temp_path ${home}/s;
  upstream calls { server 127.0.0.1:${job.tls ? job.upstream.tls : job.upstream.plain}; keepalive 128; keepalive_requests 100000000; }
  upstream streams { server 127.0.0.1:${job.upstream.streams}; keepalive 128; }
  server { ${listen(port)} if ($http_x_api_key != "${job.phantom}") { return 403; } location / { ${pass("calls")} } }
  server { ${listen(streams)} if ($http_x_api_key != "${job.phantom}") { return 403; } location / { ${pass("streams")} proxy_buffering off; proxy_read_timeout 3600s; } }
}
`,
      );
      const started = startOn(PROXY_CORE, ["nginx", "-p", home, "-c", join(home, "nginx.conf")]);
      return running(started, job, port, streams);
    },
  },
  {
    name: "haproxy",
    from: "Debian's haproxy",
    async start(job) {
      const home = homeOf(job, "haproxy");
      const [port, streams] = [await freePort(), await freePort()];
      const bind = (at: number): string =>
        `bind 127.0.0.1:${at}${job.tls ? ` ssl crt ${home}/both.pem` : ""}`;
      const server = (at: number): string =>
        `server up 127.0.0.1:${at}${job.tls ? ` ssl verify required ca-file ${home}/ca.pem verifyhost 127.0.0.1` : ""}`;
      const front = (name: string, at: number): string =>
        `frontend ${name}\n  ${bind(at)}\n  http-request deny unless { req.hdr(x-api-key) -m str ${job.phantom} }\n  http-request set-header x-api-key ${job.secret}\n  default_backend b${name}\n`;
      writeFileSync(
        join(home, "haproxy.cfg"),
        `global\n  nbthread 1\n  maxconn 8192\n  tune.ssl.default-dh-param 2048\ndefaults\n  mode http\n  timeout connect 30s\n  timeout client 3600s\n  timeout server 3600s\n  http-reuse always\n` +
          front("calls", port) +
          front("streams", streams) +
          `backend bcalls\n  ${server(job.tls ? job.upstream.tls : job.upstream.plain)}\nbackend bstreams\n  ${server(job.upstream.streams)}\n`,
      );
      const started = startOn(PROXY_CORE, ["haproxy", "-q", "-f", join(home, "haproxy.cfg")]);
      return running(started, job, port, streams);
    },
  },
  {
    name: "caddy",
    from: "Debian's caddy",
    async start(job) {
      const home = homeOf(job, "caddy");
      const [port, streams] = [await freePort(), await freePort()];
      const site = (at: number, upstream: number): string => `
${job.tls ? "https" : "http"}://127.0.0.1:${at} {
  ${job.tls ? `tls ${home}/chain.pem ${home}/key.pem` : ""}
  @ok header x-api-key ${job.phantom}
  handle @ok {
    reverse_proxy ${job.tls ? "https" : "http"}://127.0.0.1:${upstream} {
      header_up x-api-key ${job.secret}
      flush_interval -1
      transport http {
        keepalive_idle_conns_per_host 128
        ${job.tls ? `tls\n        tls_trusted_ca_certs ${home}/ca.pem` : ""}
      }
    }
  }
  respond 403
}
`;
      writeFileSync(
        join(home, "Caddyfile"),
        `{\n  admin off\n  auto_https off\n  log {\n    level ERROR\n  }\n}\n${site(port, job.tls ? job.upstream.tls : job.upstream.plain)}${site(streams, job.upstream.streams)}`,
      );
      const started = startOn(
        PROXY_CORE,
        ["caddy", "run", "--adapter", "caddyfile", "--config", join(home, "Caddyfile")],
        { env: { GOMAXPROCS: "1", HOME: home, XDG_DATA_HOME: home, XDG_CONFIG_HOME: home } },
      );
      return running(started, job, port, streams);
    },
  },
  {
    name: "mitmproxy",
    from: "Debian's mitmproxy",
    async start(job) {
      const home = homeOf(job, "mitmproxy");
      const port = await freePort();
      writeFileSync(
        join(home, "swap.py"),
        `from mitmproxy import http
def request(flow):
    if flow.request.headers.get("x-api-key") != "${job.phantom}":
        flow.response = http.Response.make(403)
    else:
        flow.request.headers["x-api-key"] = "${job.secret}"
def responseheaders(flow):
    flow.response.stream = True
`,
      );
      const upstream = job.tls
        ? `https://127.0.0.1:${job.upstream.tls}`
        : `http://127.0.0.1:${job.upstream.plain}`;
      const args = [
        "mitmdump",
        "-q",
        "--set",
        `confdir=${home}`,
        "--mode",
        `reverse:${upstream}`,
        "--listen-host",
        "127.0.0.1",
        "-p",
        String(port),
        "-s",
        join(home, "swap.py"),
        "--set",
        "keep_host_header=true",
        ...(job.tls
          ? [
              "--certs",
              `${home}/both.pem`,
              "--set",
              `ssl_verify_upstream_trusted_ca=${home}/ca.pem`,
            ]
          : []),
      ];
      // Reverse mode has one upstream: streams aren't measured through it.
      return running(startOn(PROXY_CORE, args), job, port, undefined);
    },
  },
  {
    name: "sandbox-runtime",
    from: "npm's @anthropic-ai/sandbox-runtime",
    async start(job) {
      const library = join(
        import.meta.dirname,
        "../../node_modules/@anthropic-ai/sandbox-runtime/dist/sandbox",
      );
      if (!existsSync(library)) throw new MissingError("@anthropic-ai/sandbox-runtime");
      // Its proxy ends TLS only inside CONNECT tunnels, which no load generator here makes.
      if (job.tls) throw new MissingError("TLS is ended inside CONNECT only");
      const port = await freePort();
      const started = startOn(PROXY_CORE, [
        "node",
        join(import.meta.dirname, "sandboxRuntimeProxy.mjs"),
        library,
        String(port),
        job.phantom,
        job.secret,
      ]);
      const base = await running(started, job, port, undefined);
      return {
        ...base,
        prefix: `http://127.0.0.1:${job.upstream.plain}`,
        headers: { ...base.headers, host: `127.0.0.1:${job.upstream.plain}` },
        streams: [
          {
            address: "127.0.0.1",
            port,
            prefix: `http://127.0.0.1:${job.upstream.streams}`,
            headers: { host: `127.0.0.1:${job.upstream.streams}`, "x-api-key": job.phantom },
          },
        ],
      };
    },
  },
];

function homeOf(job: Job, name: string): string {
  const home = join(job.folder, `${name}-${job.tls ? "tls" : "plain"}`);
  mkdirSync(home, { recursive: true });
  const { chain, key } = job.certificate;
  writeFileSync(join(home, "chain.pem"), chain);
  writeFileSync(join(home, "key.pem"), key, { mode: 0o600 });
  writeFileSync(join(home, "both.pem"), `${chain}\n${key}`, { mode: 0o600 });
  writeFileSync(join(home, "ca.pem"), job.upstreamCa);
  return home;
}

async function running(
  started: Started,
  job: Job,
  port: number,
  streams: number | undefined,
): Promise<RunningContender> {
  await untilOpen("127.0.0.1", port);
  return {
    pids: () => familyOf(started.child.pid ?? 0),
    address: "127.0.0.1",
    port,
    headers: { host: `127.0.0.1:${port}`, "x-api-key": job.phantom },
    streams:
      streams === undefined
        ? []
        : [
            {
              address: "127.0.0.1",
              port: streams,
              headers: { host: `127.0.0.1:${streams}`, "x-api-key": job.phantom },
            },
          ],
    stop: () => started.stop(),
  };
}
