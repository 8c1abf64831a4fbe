import type { Attack } from "../../Attack.ts";
import { tryEach } from "../../inside/findings.ts";
import { connectInside, reachAddress } from "../../inside/sockets.ts";

/** AWS, GCP, Azure and most others; AWS's containers; Azure's wire server; Alibaba; AWS over IPv6. */
const ADDRESSES = [
  "169.254.169.254",
  "169.254.170.2",
  "168.63.129.16",
  "100.100.100.200",
  "fd00:ec2::254",
];

export const metadata: Attack = {
  name: "metadata",
  group: "network",
  tries: "ask the cloud's metadata services for credentials",
  run: () =>
    tryEach(ADDRESSES, (address) =>
      reachAddress(address, () =>
        connectInside(
          address,
          80,
          `GET /latest/meta-data/ HTTP/1.1\r\nhost: ${address}\r\nmetadata-flavor: Google\r\n\r\n`,
        ),
      ),
    ),
};
