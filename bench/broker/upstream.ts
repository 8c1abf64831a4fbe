import { mkdirSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { freePort, LOAD_CORE, startOn, untilOpen, type Started } from "./processes.ts";

const REPLY = JSON.stringify({
  id: "msg_01",
  type: "message",
  role: "assistant",
  content: [{ type: "text", text: "All quiet at the harbour tonight; nothing to report." }],
  usage: { input_tokens: 12, output_tokens: 11 },
});

export interface Upstream {
  readonly plain: number;
  readonly tls: number;
  /** Plain HTTP, server-sent events; `?chunks=N&every=MS`. */
  readonly streams: number;
  readonly streamsTls: number;
  stop(): Promise<void>;
}

/**
 * The host behind every contender: nginx with a fixed reply, which refuses any call without the real
 * secret, and a Node process for streams.
 */
export async function startUpstream(
  folder: string,
  secret: string,
  certificate: { readonly chain: string; readonly key: string },
): Promise<Upstream> {
  const home = join(folder, "upstream");
  mkdirSync(home, { recursive: true });
  const [plain, tls, streams, streamsTls] = [
    await freePort(),
    await freePort(),
    await freePort(),
    await freePort(),
  ];
  writeFileSync(join(home, "chain.pem"), certificate.chain);
  writeFileSync(join(home, "key.pem"), certificate.key, { mode: 0o600 });
  writeFileSync(
    join(home, "nginx.conf"),
    `daemon off; worker_processes 1; pid ${home}/pid; error_log stderr crit;
events { worker_connections 4096; }
http { access_log off; keepalive_requests 100000000; keepalive_timeout 3600s;
  client_body_temp_path ${home}/body; proxy_temp_path ${home}/p; fastcgi_temp_path ${home}/f; uwsgi_temp_path ${home}/u; scgi_temp_path ${home}/s;
  server {
    listen 127.0.0.1:${plain} backlog=4096; listen 127.0.0.1:${tls} ssl backlog=4096;
    ssl_certificate ${home}/chain.pem; ssl_certificate_key ${home}/key.pem;
    if ($http_x_api_key != "${secret}") { return 401; }
    location / { default_type application/json; return 200 '${REPLY}'; }
  }
}
`,
  );
  const server = startOn(LOAD_CORE, ["nginx", "-p", home, "-c", join(home, "nginx.conf")]);
  const streamer: Started = startOn(LOAD_CORE, [
    process.execPath.split("/").at(-1) ?? "node",
    join(import.meta.dirname, "streamServer.ts"),
    String(streams),
    String(streamsTls),
    join(home, "chain.pem"),
    join(home, "key.pem"),
  ]);
  await Promise.all([plain, tls, streams, streamsTls].map((port) => untilOpen("127.0.0.1", port)));
  return {
    plain,
    tls,
    streams,
    streamsTls,
    async stop() {
      await Promise.all([server.stop(), streamer.stop()]);
    },
  };
}
