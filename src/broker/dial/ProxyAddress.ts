import { isIP } from "node:net";
import type { AddressClass } from "./classifyAddress.ts";
import type { Destination } from "./Destination.ts";
import { DialError } from "./DialError.ts";

/** A proxy that the owner declared as the way out. */
export interface ProxyAddress {
  readonly kind: "http" | "socks5";
  readonly destination: Destination;
}

const DEFAULT_PORT = { http: 80, socks5: 1080 } as const;
const BY_NAME: readonly AddressClass[] = ["public", "private", "loopback"];
const BY_ADDRESS: readonly AddressClass[] = [...BY_NAME, "link-local", "special", "metadata"];

/**
 * Reads `http://host:port` or `socks5://host:port`. Where the proxy stands is the owner's choice:
 * a literal may be any address, a name any but link-local and metadata ones. What goes through it for
 * a plain HTTP host may carry a secret in clear, so there the proxy has to be on a private network.
 *
 * @throws DialError `proxy-failed` for any other text.
 */
export function readProxyAddress(text: string, clear: boolean): ProxyAddress {
  const found = /^(http|socks5):\/\/([a-z0-9._-]+|\[[0-9a-f:.]+\])(?::(\d{1,5}))?\/?$/i.exec(text);
  const kind = found?.[1]?.toLowerCase() === "http" ? "http" : "socks5";
  const host = (found?.[2] ?? "").replaceAll(/[[\]]/g, "").toLowerCase();
  const port = found?.[3] === undefined ? DEFAULT_PORT[kind] : Number(found[3]);
  if (found === null || host === "" || port < 1 || port > 65_535)
    throw new DialError("proxy-failed", "the proxy's address can't be read");
  const allowed = isIP(host) === 0 ? BY_NAME : BY_ADDRESS;
  return {
    kind,
    destination: {
      host,
      port,
      allowed: new Set(
        clear ? allowed.filter((each) => each === "private" || each === "loopback") : allowed,
      ),
      networks: [],
    },
  };
}
