import type { Feature } from "../Case.ts";
import { makeCertificates } from "../certificates.ts";
import { probeFeatures } from "../probeFeatures.ts";
import type { Target } from "../Target.ts";
import { Upstream } from "../Upstream.ts";

/** How to reach a proxy that runs already, and where it finds the server behind it. */
export interface GenericOptions {
  /** `address:port` at which clients connect. */
  readonly connect: string;
  /** What the Host header says, and (without its port) the TLS server name. */
  readonly host: string;
  /** Port on 127.0.0.1 at which the runner's server listens; the proxy relays to it. */
  readonly upstreamPort: number;
  /** Clients speak plain HTTP to the proxy. */
  readonly plain: boolean;
  /** The proxy speaks TLS to the server. Its CA is written to `upstreamCa` before anything is sent. */
  readonly upstreamTls: boolean;
  /** What the client sends in `x-api-key`, and what the server must get instead. */
  readonly phantom?: string;
  readonly secret?: string;
  readonly features: readonly Feature[];
  readonly pid?: number;
  readonly dns?: string;
  readonly dnsName?: string;
  onCa(ca: string): void;
}

/** Any HTTP proxy at an address, with one lane: cases run one after the other. */
export async function pointAt(options: GenericOptions): Promise<Target> {
  const { host, phantom = "token-of-the-client", secret, pid } = options;
  const [address, port] = splitAddress(options.connect);
  const name = host.replace(/:\d+$/, "");
  const made = options.upstreamTls ? await makeCertificates([name]) : undefined;
  if (made !== undefined) options.onCa(made.ca);
  const upstream = await Upstream.start(options.upstreamPort, made?.certificates);
  const features = new Set<Feature>(options.features);
  if (!options.plain) features.add("tls");
  if (options.upstreamTls) features.add("upstream-tls");
  if (secret !== undefined) features.add("credential");
  if (pid !== undefined) features.add("pid");
  const dns = options.dns === undefined ? undefined : splitAddress(options.dns);
  if (dns !== undefined) features.add("dns");
  const target: Target = {
    name: options.connect,
    features,
    lanes: [
      {
        address,
        port,
        others: {},
        tls: options.plain ? undefined : {},
        name,
        plainHead: `Host: ${host}\r\nx-api-key: ${phantom}\r\n`,
        words: {
          host,
          name,
          port: String(port),
          ...(options.secret === undefined ? {} : { secret: options.secret }),
          phantom,
          "other-phantom": "another-token",
          "foreign-phantom": "a-foreign-token",
          "other-host": "other.adversary.test",
          "other-name": "other.adversary.test",
        },
        upstream,
      },
    ],
    ...(pid === undefined ? {} : { pid }),
    ...(dns === undefined
      ? {}
      : {
          dns: {
            address: dns[0],
            udpPort: dns[1],
            tcpPort: dns[1],
            granted: options.dnsName ?? name,
          },
        }),
    close: () => upstream.close(),
  };
  await probeFeatures(target, features);
  return target;
}

function splitAddress(text: string): [address: string, port: number] {
  const at = text.lastIndexOf(":");
  return [text.slice(0, at).replaceAll(/[[\]]/g, ""), Number(text.slice(at + 1))];
}
