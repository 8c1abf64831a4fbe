import { runMain } from "./runMain.ts";

// The whole command line, but for `seawall run` alone: see runMain.
process.exitCode = await main(process.argv.slice(3));

async function main(args: readonly string[]): Promise<number> {
  try {
    return await runMain(args);
  } catch (error) {
    const { reportError } = await import("../reportError.ts");
    return reportError(error, args);
  }
}
