import { runCommandLine } from "./runCommandLine.ts";

// The whole command line as it is written here; bin/seawall goes by start.cjs, which is faster.
process.exitCode = await runCommandLine(process.argv.slice(2));
