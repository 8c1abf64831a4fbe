import { TargetError } from "../TargetError.ts";
import type { Directives } from "./unitFile.ts";

/** The systemd that brought a directive (its man pages and NEWS), for those that not all have. */
const SINCE: Readonly<Record<string, number>> = {
  TemporaryFileSystem: 238,
  ProtectHostname: 242,
  RestrictSUIDSGID: 242,
  OOMPolicy: 243,
  ProtectKernelLogs: 244,
  ProtectClock: 245,
  ProtectProc: 247,
  ProcSubset: 247,
  LoadCredential: 247,
  PrivateIPC: 248,
  NoExecPaths: 248,
  ExecPaths: 248,
  SocketBindDeny: 249,
  SocketBindAllow: 249,
  LoadCredentialEncrypted: 250,
  RestrictFileSystems: 250,
  RestartSteps: 254,
  RestartMaxDelaySec: 254,
};

/** What the wall stands on, with what would be open without it. All others are further layers. */
const NEEDED: Readonly<Record<string, string>> = {
  TemporaryFileSystem: "the bot would see the host's files",
  ProtectProc: "the bot would see other processes",
  LoadCredential: "the broker would have no secrets",
  LoadCredentialEncrypted: "a secret of this declaration is stored that way",
  PrivateIPC: "the bot would share queues with the host",
};

/** The directives that this systemd knows. @throws TargetError `too-old` when the wall can't go without one. */
export function knownDirectives(lines: Directives, version: number): Directives {
  return lines.filter(([name]) => {
    const since = SINCE[name] ?? 0;
    if (version >= since) return true;
    const reason = NEEDED[name];
    if (reason === undefined) return false;
    throw new TargetError("too-old", `systemd ${version} has no ${name}=: ${reason}`, {
      hint: `systemd ${since} brings it; upgrade to a system that has it`,
    });
  });
}

/** What a systemd leaves out, for people: `RestrictFileSystems= (systemd 250)`. */
export function missingDirectives(version: number): string[] {
  return Object.entries(SINCE)
    .filter(([name, since]) => version < since && !Object.hasOwn(NEEDED, name))
    .map(([name, since]) => `${name}= (systemd ${since})`);
}
