import { spawn } from "node:child_process";
import { dirname } from "node:path";
import { OpenClawError, type OpenClawErrorCode } from "./OpenClawError.ts";
import type { Platform } from "./Pin.ts";

export type NpmCommand = readonly [program: string, ...args: string[]];

/**
 * Runs the `npm` on PATH, or another one, and returns what it printed.
 *
 * The user's npmrc and environment stay in force, so that registry, proxy and CA settings work;
 * whatever of them could change the outcome is overruled by the caller's flags.
 *
 * @throws OpenClawError `npm-missing`, `registry`, `unknown-version`, `wrong-hash` (a package's
 * integrity), `disk-full` or `npm-failed`, by the code npm prints.
 */
export async function runNpm(
  args: readonly string[],
  cwd: string,
  [program, ...before]: NpmCommand = ["npm"],
): Promise<string> {
  // Ours last: it only counts where npm is there without a node of its own.
  const path = [process.env["PATH"] ?? "/usr/bin:/bin", dirname(process.execPath)].join(":");
  const child = spawn(program, [...before, ...args], {
    cwd,
    env: { ...process.env, PATH: path },
    stdio: ["ignore", "pipe", "pipe"],
  });
  let out = "";
  let err = "";
  child.stdout.setEncoding("utf8").on("data", (text: string) => (out += text));
  child.stderr
    .setEncoding("utf8")
    .on("data", (text: string) => (err = (err + text).slice(-64_000)));
  const status = await new Promise<number | string>((resolve, reject) => {
    child.on("error", (cause: NodeJS.ErrnoException) => {
      reject(
        cause.code === "ENOENT"
          ? new OpenClawError("npm-missing", "npm is not installed", {
              hint: "install it, for instance with: apt install npm",
              cause,
            })
          : new OpenClawError("npm-failed", "npm can't be started", { cause }),
      );
    });
    child.on("close", (code, signal) => resolve(code ?? signal ?? "unknown"));
  });
  if (status !== 0) throw npmError(status, `${err}\n${out}`);
  return out;
}

/** Flags under which a lock gives the same tree whatever the user has configured (npm 10 to 12). */
export function reproducibleFlags(platform: Platform): string[] {
  const [os = "", cpu = ""] = platform.split("-");
  // npm knows C libraries of Linux only; for another system it would compare with none (npm-install-checks).
  const libc = os === "linux" ? ["--libc=glibc"] : [];
  return [...TREE_FLAGS, `--os=${os}`, `--cpu=${cpu}`, ...libc, ...QUIET];
}

const TREE_FLAGS = words(`
  --ignore-scripts --bin-links=false --install-strategy=hoisted --install-links=false
  --omit=dev --include=prod --include=optional --include=peer
  --legacy-peer-deps=false --strict-peer-deps=false --engine-strict=false --force=false
  --global=false --location=project --workspaces=false --dry-run=false
  --package-lock=true --umask=0022
`);

/** npm says nothing but errors. */
export const QUIET = words(`
  --audit=false --fund=false --progress=false --color=false --update-notifier=false
  --loglevel=error
`);

function words(text: string): readonly string[] {
  return text.trim().split(/\s+/);
}

const CODES: readonly (readonly [RegExp, OpenClawErrorCode, string, string])[] = [
  [/\bENOSPC\b|\bEDQUOT\b/, "disk-full", "the disk is full", "make room and try again"],
  [
    /\bEINTEGRITY\b/,
    "wrong-hash",
    "the registry sent something else than the pin names",
    "try again later, or from another registry",
  ],
  [
    /\b(ETARGET|E404|ENOVERSIONS)\b/,
    "unknown-version",
    "the registry doesn't have that version",
    "look at the versions with: npm view openclaw versions",
  ],
  [
    /\b(ENOTFOUND|EAI_AGAIN|ECONN[A-Z]+|ENETUNREACH|EHOSTUNREACH|ETIMEDOUT|E40[137]|E4?29|E5\d\d|ERR_SOCKET_TIMEOUT|ENOTCACHED|[A-Z_]*CERT[A-Z_]*|FETCH_ERROR|EIDLETIMEOUT|EPROTO)\b/,
    "registry",
    "the npm registry can't be reached",
    "check the network and npm's settings with: npm ping",
  ],
];

function npmError(status: number | string, output: string): OpenClawError {
  const code = /npm (?:error|ERR!) code ([A-Z0-9_]+)/.exec(output)?.[1] ?? "";
  const cause = new Error(withoutCredentials(output.trim()).slice(-2000));
  for (const [pattern, kind, message, hint] of CODES) {
    if (pattern.test(code)) return new OpenClawError(kind, `${message} (${code})`, { hint, cause });
  }
  // Without a code of its own npm prints the system call's error.
  const system = /\b(ENOSPC|EDQUOT)\b/.exec(output)?.[1];
  if (system !== undefined) {
    return new OpenClawError("disk-full", `the disk is full (${system})`, {
      hint: "make room and try again",
      cause,
    });
  }
  const last = withoutCredentials(
    output
      .trim()
      .split("\n")
      .find((line) => /npm (error|ERR!)/.test(line)) ?? "",
  );
  return new OpenClawError("npm-failed", `npm failed (${code || String(status)})`, {
    ...(last === "" ? {} : { hint: last }),
    cause,
  });
}

/** A registry's address may carry a password. */
function withoutCredentials(text: string): string {
  return text.replaceAll(/\/\/[^/\s@]*@/g, "//");
}
