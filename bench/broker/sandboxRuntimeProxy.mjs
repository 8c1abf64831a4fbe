// The HTTP proxy of @anthropic-ai/sandbox-runtime, told to do the broker's job for plain HTTP:
// node sandboxRuntimeProxy.mjs LIBRARY PORT PHANTOM SECRET
import { join } from "node:path";
import { pathToFileURL } from "node:url";

const [library, port, phantom, secret] = process.argv.slice(2);
const { createHttpProxyServer } = await import(pathToFileURL(join(library, "http-proxy.js")).href);
createHttpProxyServer({
  filter: () => true,
  mutateHeadersPlaintext: (headers) => {
    if (headers["x-api-key"] === phantom) headers["x-api-key"] = secret;
    return headers;
  },
}).listen(Number(port), "127.0.0.1");
