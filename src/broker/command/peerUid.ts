import { constants } from "node:os";
import type { Socket } from "node:net";
import { fileURLToPath } from "node:url";

/** Built by native/; see native/peer.c. */
const PEER_ADDON = fileURLToPath(new URL("../../../build/peer.node", import.meta.url));

interface PeerAddon {
  peerUid(fd: number): number;
}

/** What tells whose process is at the other end; `undefined` when the addon isn't built. */
export function openPeerCheck(): ((socket: Socket) => number | undefined) | undefined {
  const loaded: { exports: Partial<PeerAddon> } = { exports: {} };
  try {
    process.dlopen(loaded, PEER_ADDON, constants.dlopen.RTLD_NOW);
  } catch {
    return undefined;
  }
  const { peerUid } = loaded.exports;
  if (peerUid === undefined) return undefined;
  return (socket) => {
    const fd = descriptorOf(socket);
    if (fd === undefined) return undefined;
    const uid = peerUid(fd);
    return uid < 0 ? undefined : uid;
  };
}

/** libuv's handle knows it (`_handle.fd`, lib/net.js; measured with Node 24.21); the types leave it out. */
function descriptorOf(socket: Socket): number | undefined {
  const { _handle: handle } = socket as unknown as { _handle?: { fd?: unknown } | null };
  const fd = handle?.fd;
  return typeof fd === "number" && fd >= 0 ? fd : undefined;
}
