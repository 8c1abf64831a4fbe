import { execFile } from "node:child_process";
import { promisify } from "node:util";

/**
 * The uid of whoever listens at a port of 127.0.0.1, on macOS, which has no /proc: lsof(8) is part of it.
 * Another user's sockets aren't shown to an ordinary user, so then it is nobody.
 */
export async function listenerByLsof(port: number): Promise<number | undefined> {
  const words = ["-nP", `-iTCP@127.0.0.1:${port}`, "-sTCP:LISTEN", "-F", "u"];
  try {
    const { stdout } = await promisify(execFile)("/usr/sbin/lsof", words, { env: {} });
    return readLsof(stdout);
  } catch {
    // It ends with 1 where it finds nothing.
    return undefined;
  }
}

/** Its form for programs: a line for each field, `p` and `u` before what they are. Several owners are none. */
export function readLsof(text: string): number | undefined {
  const owners = new Set(text.split("\n").flatMap((line) => /^u(\d+)$/u.exec(line)?.[1] ?? []));
  const [owner, ...more] = [...owners];
  return owner === undefined || more.length > 0 ? undefined : Number(owner);
}
