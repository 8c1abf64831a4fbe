import { readFileSync } from "node:fs";
import { z } from "zod";
import { HostError } from "../HostError.ts";

const path = z.string().regex(/^\/[A-Za-z0-9_/@+.,=~-]*$/, "a whole path without blanks");

const description = z.strictObject({
  version: z.literal(1),
  /** NixOS restarts what changed by itself, and has users and folders from elsewhere. */
  nixos: z.boolean().default(false),
  systemd: z.int().min(248),
  /** As `6.12.30`. */
  kernel: z.string().regex(/^\d+\.\d+/),
  ipv6: z.boolean().default(true),
  architecture: z.enum(["x86_64", "aarch64"]),
  paths: z.strictObject({
    generation: path,
    private: path,
    state: path,
    runtime: path,
    vault: z.strictObject({ file: path, identity: path }),
  }),
  programs: z.strictObject({
    node: path,
    launcher: path,
    shell: path,
    ip: path,
    socketProxy: path,
    caddy: path,
    tailscale: path,
  }),
  /** Where a bot has one. */
  browser: z
    .strictObject({
      chromium: path,
      /** Our program that drives it, as `copyProgram` makes it of `BROWSER_PROGRAM`. */
      program: path,
      /** A folder with fonts and `fonts.conf`, which names no other. */
      fonts: path,
    })
    .optional(),
  /** Folders with the system's programs that Seawall's own commands start, as git. */
  tools: z.array(path).default([]),
  /** This Seawall, as it will be on that machine. */
  project: path,
  cache: path,
  /** Where plugins come from; nobody logs in there. Where root's npm gets packages from if left out. */
  registry: z
    .string()
    .regex(
      /^https:\/\/[A-Za-z0-9.-]+(?::\d{1,5})?\/[A-Za-z0-9._~/-]*$/,
      "an address of npm's registry",
    )
    .optional(),
  /** Trees of OpenClaw by version. */
  openclaw: z.record(z.string(), path),
  /** Folders with the programs that a bot's commands may be, by bot. */
  commands: z.record(z.string(), z.array(path)),
  /** Further places of gateways' tokens, by bot. */
  tokens: z.record(z.string(), path).default({}),
  /** What a broker reads of the system: libraries, name resolution. */
  system: z.array(path),
});

/** A machine that isn't this one, as far as units depend on it. Its programs can be read here. */
export type MachineDescription = z.output<typeof description>;

/** @throws HostError `unreadable-file` */
export function readMachine(file: string): MachineDescription {
  const refuse = (hint: string, cause?: unknown): HostError =>
    new HostError("unreadable-file", `"${file}" describes no machine`, { hint, cause });
  let value: unknown;
  try {
    value = JSON.parse(readFileSync(file, "utf8"));
  } catch (cause) {
    throw refuse("name a file of JSON, as the NixOS module writes it", cause);
  }
  const read = description.safeParse(value);
  if (read.success) return read.data;
  const [issue] = read.error.issues;
  throw refuse(`${issue?.path.join(".") ?? ""}: ${issue?.message ?? ""}`, read.error);
}

/** Linux by Landlock's ABI (Documentation/userspace-api/landlock.rst, "Previous limitations"). */
const LANDLOCK: readonly (readonly [major: number, minor: number, abi: number])[] = [
  [6, 12, 6],
  [6, 10, 5],
  [6, 7, 4],
  [6, 2, 3],
  [5, 19, 2],
  [5, 13, 1],
];

/** Landlock's ABI in a Linux that was built with it. */
export function landlockOf(kernel: string): number {
  const [major = 0, minor = 0] = kernel.split(".").map(Number);
  const since = LANDLOCK.find(([a, b]) => major > a || (major === a && minor >= b));
  return since?.[2] ?? 0;
}
