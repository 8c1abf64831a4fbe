import type { BrokerMint } from "../BrokerConfig.ts";
import type { Granted } from "../Deployment.ts";
import { connectUpstream } from "../dial/connectUpstream.ts";
import type { Resolve } from "../dial/Destination.ts";
import type { ClientCertificate } from "../dial/upstreamTls.ts";
import { composeRequest } from "../http/h1/composeRequest.ts";
import { H1Connection } from "../http/h1/H1Connection.ts";
import { hostHeaders } from "../identify.ts";
import { valuesOf, type Header } from "../match.ts";
import { readCoding } from "../body/coding.ts";

/** What is asked; all of it may be secret. */
export interface TokenRequest {
  readonly headers: readonly Header[];
  readonly body: string;
}

export interface TokenReply {
  readonly status: number;
  readonly headers: readonly Header[];
  readonly body: string;
}

export interface AskOptions {
  readonly resolve: Resolve;
  /** For all of it together. */
  readonly timeoutMs: number;
  readonly clientCertificate?: ClientCertificate;
}

/** The largest known has 4 KB (Microsoft's, with an id token). */
const MOST_BYTES = 64 * 1024;

/**
 * One POST to a token endpoint by the way that calls take: the address checked, the certificate verified
 * against the declared name. The connection is not kept, and a redirect is a reply like any other.
 *
 * @throws DialError, UpstreamError, EndpointError.
 */
export async function askEndpoint(
  minted: BrokerMint,
  request: TokenRequest,
  { resolve, timeoutMs, clientCertificate }: AskOptions,
): Promise<TokenReply> {
  const granted = endpointGranted(minted);
  const until = Date.now() + timeoutMs;
  const { socket } = await connectUpstream(granted, {
    resolve,
    alpn: ["http/1.1"],
    timeoutMs,
    ...(clientCertificate === undefined ? {} : { clientCertificate }),
  });
  const connection = new H1Connection(socket, {
    free: (each) => {
      each.close();
    },
    gone: () => undefined,
  });
  let late = false;
  const timer = setTimeout(
    () => {
      late = true;
      connection.close();
    },
    Math.max(1, until - Date.now()),
  );
  try {
    const body = Buffer.from(request.body);
    const exchange = connection.start(
      composeRequest({
        method: "POST",
        target: minted.endpoint.path,
        headers: [
          ["Host", hostHeaders(granted)[0]],
          ["User-Agent", "seawall"],
          ["Accept-Encoding", "identity"],
          ...request.headers,
          ["Content-Length", String(body.length)],
        ],
      }),
      false,
    );
    exchange.end(body, []);
    const { status, headers, body: source } = await exchange.reply;
    if (readCoding(valuesOf(headers, "content-encoding")) !== "identity")
      throw new EndpointError("is compressed, though it was asked not to be");
    const chunks: Buffer[] = [];
    let length = 0;
    for await (const chunk of source) {
      length += chunk.length;
      if (length > MOST_BYTES) throw new EndpointError("is too long to be one");
      chunks.push(chunk);
    }
    return { status, headers, body: Buffer.concat(chunks).toString() };
  } catch (error) {
    if (late) throw new EndpointError("did not come in time", { cause: error });
    throw error;
  } finally {
    clearTimeout(timer);
    connection.close();
  }
}

/** What is wrong with a reply. */
export class EndpointError extends Error {}

/** The endpoint as what the dialling steps take. No bot has such a grant. */
function endpointGranted({ name, endpoint: { host }, dial }: BrokerMint): Granted {
  return {
    bot: "",
    grant: {
      kind: "inject",
      name,
      service: "",
      hosts: [host],
      secret: "",
      phantom: "",
      places: [],
      rules: [],
      anonymous: [],
      ...(dial === undefined ? {} : { dial }),
    },
    host,
  };
}
