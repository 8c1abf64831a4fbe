import { targetFile, type Target } from "../Target.ts";
import { plist } from "./plist.ts";

/** All that the launchd target prints from. Nothing in it is secret. */
export interface LaunchdInput {
  /** Path of `seawall`. */
  readonly seawall: string;
  /** Path of the declaration. */
  readonly declaration: string;
  /** Path of the file that gets what it prints. */
  readonly log: string;
}

/** Of the agent; launchctl(1) knows it by this. */
export const LAUNCHD_LABEL = "dev.seawall";

/**
 * One agent of the user's own launchd (launchd.plist(5)): `seawall up --stay`, whose supervisor starts the
 * broker and, once its wall was tried, each bot behind its Seatbelt profile. Bots have no agents of their own:
 * launchd would start them whatever the trial said.
 */
export const launchdTarget: Target<LaunchdInput> = {
  name: "launchd",
  summary: "an agent for launchd that runs seawall up, for macOS",
  render: ({ seawall, declaration, log }) => [
    targetFile(
      `LaunchAgents/${LAUNCHD_LABEL}.plist`,
      plist({
        Label: LAUNCHD_LABEL,
        ProgramArguments: [seawall, "up", "--stay", declaration],
        // launchd's own lacks the places where Node and npm usually are.
        EnvironmentVariables: {
          PATH: "/opt/homebrew/bin:/usr/local/bin:/usr/bin:/bin:/usr/sbin:/sbin",
        },
        RunAtLoad: true,
        // It ends when its supervisor does, and then begins anew.
        KeepAlive: true,
        ThrottleInterval: 30,
        // Bots are given ten seconds to end.
        ExitTimeOut: 60,
        ProcessType: "Background",
        Umask: 0o077,
        StandardOutPath: log,
        StandardErrorPath: log,
      }),
    ),
  ],
};
