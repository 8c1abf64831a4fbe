/** Landlock's rights (include/uapi/linux/landlock.h), each with the ABI that brought it. */
export const FS = {
  execute: 1n << 0n,
  writeFile: 1n << 1n,
  readFile: 1n << 2n,
  readDirectory: 1n << 3n,
  removeDirectory: 1n << 4n,
  removeFile: 1n << 5n,
  makeCharacter: 1n << 6n,
  makeDirectory: 1n << 7n,
  makeRegular: 1n << 8n,
  makeSocket: 1n << 9n,
  makeFifo: 1n << 10n,
  makeBlock: 1n << 11n,
  makeLink: 1n << 12n,
  /** ABI 2, Linux 5.19: link or rename into another folder. Before, that is always refused. */
  refer: 1n << 13n,
  /** ABI 3, Linux 6.2. */
  truncate: 1n << 14n,
  /** ABI 5, Linux 6.10: ioctl on devices opened afterwards. */
  ioctlDevice: 1n << 15n,
} as const;

/** ABI 4, Linux 6.7. */
export const NET = { bindTcp: 1n << 0n, connectTcp: 1n << 1n } as const;

/** ABI 6, Linux 6.12. */
export const SCOPE = { abstractUnixSocket: 1n << 0n, signal: 1n << 1n } as const;

/** The first ABI that has everything this room uses. */
export const FULL_ABI = 6;

/** All rights an ABI knows, which is what a ruleset should handle; 0 has none. */
export function knownRights(abi: number): { fs: bigint; net: bigint; scoped: bigint } {
  if (abi < 1) return { fs: 0n, net: 0n, scoped: 0n };
  let fs = FS.refer - 1n;
  if (abi >= 2) fs |= FS.refer;
  if (abi >= 3) fs |= FS.truncate;
  if (abi >= 5) fs |= FS.ioctlDevice;
  const net = abi >= 4 ? NET.bindTcp | NET.connectTcp : 0n;
  const scoped = abi >= 6 ? SCOPE.abstractUnixSocket | SCOPE.signal : 0n;
  return { fs, net, scoped };
}
