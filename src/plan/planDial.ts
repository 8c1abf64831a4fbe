import { isIP } from "node:net";
import ipaddr from "ipaddr.js";
import { isHostName, type DeclaredDial, type Fault, type Path } from "../declaration/index.ts";
import type { DialPlan } from "./Plan.ts";

/** Narrower than any carrier's or company's own space; wider ones would undo the check of addresses. */
const WIDEST = { ipv4: 8, ipv6: 16 };

/** Where the connections of a grant, or to a token endpoint, go instead, and by which way. */
export function planDial(
  { dial }: { readonly dial?: DeclaredDial | undefined },
  path: Path,
  secrets: ReadonlySet<string>,
  faults: Fault[],
): { readonly dial?: DialPlan } {
  if (dial === undefined) return {};
  const { host, port, ca, proxy, networks, clientCertificate } = dial;
  const wrong = (key: readonly (string | number)[], message: string, hint: string): void => {
    faults.push({ code: "invalid", path: [...path, "dial", ...key], message, hint });
  };
  if (host !== undefined && isIP(host) === 0 && !isHostName(host)) {
    wrong(
      ["host"],
      "this is neither an address nor a host name",
      'write it alone, as "10.0.0.5" or "proxy.example.com"; the port has a key of its own',
    );
  }
  const proxyPort = Number(/\d+$/.exec(proxy ?? "")?.[0] ?? 1);
  if (proxyPort < 1 || proxyPort > 65535)
    wrong(["proxy"], "this is no port", "a port is a number from 1 to 65535");
  const known = (networks ?? []).flatMap((text, index) => {
    const network = readNetwork(text);
    if (network === undefined) {
      wrong(
        ["networks", index],
        "this is not a network, or one too wide to be yours",
        'write address and length, as "10.0.0.0/8" or "fd00:1234::/32"',
      );
    }
    return network ?? [];
  });
  if (clientCertificate !== undefined && !secrets.has(clientCertificate)) {
    faults.push({
      code: "unknown-secret",
      path: [...path, "dial", "clientCertificate"],
      message: `the client certificate is secret "${clientCertificate}", which no store declares`,
      hint: 'add it under "secrets"; its value is the certificate and its key, both PEM',
    });
  }
  return {
    dial: {
      ...(host === undefined ? {} : { host }),
      ...(port === undefined ? {} : { port }),
      ...(ca === undefined ? {} : { ca }),
      ...(proxy === undefined ? {} : { proxy: proxy.toLowerCase() }),
      ...(networks === undefined ? {} : { networks: [...new Set(known)].toSorted() }),
      ...(clientCertificate === undefined ? {} : { clientCertificate }),
    },
  };
}

/** The network's usual form, as `10.0.0.0/8`. */
function readNetwork(text: string): string | undefined {
  if (!ipaddr.isValidCIDR(text) || isIP(text.split("/", 1)[0] ?? "") === 0) return undefined;
  const [address, length] = ipaddr.parseCIDR(text);
  if (length < WIDEST[address.kind()]) return undefined;
  const network =
    address.kind() === "ipv4"
      ? ipaddr.IPv4.networkAddressFromCIDR(text)
      : ipaddr.IPv6.networkAddressFromCIDR(text);
  return `${network.toString()}/${length}`;
}
