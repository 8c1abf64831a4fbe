import { runMain } from "./runMain.ts";

/** `seawall run` alone, of the whole command line: see runMain. */
export async function runAlone(args: readonly string[]): Promise<number> {
  try {
    return await runMain(args);
  } catch (error) {
    const { reportError } = await import("../reportError.ts");
    return reportError(error, args);
  }
}
