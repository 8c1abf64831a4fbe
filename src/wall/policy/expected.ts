import type { WallSpec } from "../WallSpec.ts";
import type { Operation } from "./Operation.ts";

/** Refuses the start if something else has come to be at a place since it was looked at. */
export function expected(mounts: WallSpec["mounts"]): readonly Operation[] {
  return mounts.flatMap((mount): readonly Operation[] => {
    if (mount.kind !== "read" && mount.kind !== "write") return [];
    const identity = mount.placed ?? mount.seen;
    if (identity === undefined) return [];
    const { device, inode } = identity;
    return [{ op: "expect", path: mount.to, device: BigInt(device), inode: BigInt(inode) }];
  });
}
