import { readFileSync } from "node:fs";
import { setTimeout as delay } from "node:timers/promises";
import { z } from "zod";
import { writeFileAtomic } from "../files/index.ts";
import { narHash } from "./nar.ts";
import { treeStamp, type TreeStamp } from "./treeStamp.ts";

/**
 * Change times come from a clock that ticks every 1 to 10 ms (CONFIG_HZ), so a write in the same
 * tick as the one before it leaves no trace. A stamp is only kept when the newest change lies
 * further back than this; git calls such entries racily clean.
 */
const RACY_NANOSECONDS = 100_000_000n;

const StampFile = z.strictObject({ narHash: z.string(), entries: z.string(), root: z.string() });

/**
 * Says whether `root` still has the NAR hash `expected`.
 *
 * The contents are read in full (seconds) unless `stampFile` shows that a full check succeeded
 * before and nothing in the tree has been touched since (see {@link treeStamp}). The stamp file
 * has mode 0600 and must lie where no bot can write. A missing, damaged or outdated stamp only
 * costs time.
 *
 * @param onBytes told how many bytes were hashed so far; not called when the stamp suffices.
 */
export async function verifyTree(
  root: string,
  expected: string,
  stampFile: string,
  onBytes?: (bytes: number) => void,
): Promise<boolean> {
  const before = stampOf(root);
  if (before === undefined) return false;
  if (stampMatches(before, expected, stampFile)) return true;
  const actual = await narHash(root, onBytes).catch(() => undefined);
  if (actual !== expected) return false;
  const after = stampOf(root);
  if (after === undefined || after.entries !== before.entries || after.root !== before.root) {
    return false;
  }
  if (isSettled(before)) writeStamp(after, expected, stampFile);
  return true;
}

/** Whether a full check can be skipped. Never throws: anything unexpected means it can't. */
export function isStamped(root: string, expected: string, stampFile: string): boolean {
  const stamp = stampOf(root);
  return stamp !== undefined && stampMatches(stamp, expected, stampFile);
}

/**
 * Keeps a stamp for a tree that was hashed while it was `hashed` and has only been renamed since.
 * Waits the tenth of a second until the change times can be trusted. Does nothing when the tree
 * isn't the one that was hashed: the next check then reads it in full.
 */
export async function stampRenamed(
  root: string,
  hashed: TreeStamp,
  narHash: string,
  stampFile: string,
): Promise<void> {
  while (!isSettled(treeStamp(root))) await delay(Number(RACY_NANOSECONDS / 1_000_000n));
  const now = treeStamp(root);
  if (now.entries === hashed.entries) writeStamp(now, narHash, stampFile);
}

function isSettled(stamp: TreeStamp): boolean {
  return BigInt(Date.now()) * 1_000_000n - stamp.newest > RACY_NANOSECONDS;
}

function stampOf(root: string): TreeStamp | undefined {
  try {
    return treeStamp(root);
  } catch {
    return undefined;
  }
}

function stampMatches(stamp: TreeStamp, expected: string, stampFile: string): boolean {
  try {
    const kept = StampFile.parse(JSON.parse(readFileSync(stampFile, "utf8")));
    return kept.narHash === expected && kept.entries === stamp.entries && kept.root === stamp.root;
  } catch {
    return false;
  }
}

function writeStamp(stamp: TreeStamp, narHash: string, stampFile: string): void {
  const { entries, root } = stamp;
  writeFileAtomic(stampFile, `${JSON.stringify({ narHash, entries, root })}\n`, 0o600);
}
