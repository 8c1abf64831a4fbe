import { readdirSync, readFileSync } from "node:fs";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { z } from "zod";
import { compareVersions } from "./compareVersions.ts";
import { OpenClawError } from "./OpenClawError.ts";

/** Kinds of machine a pin has a hash for, as Node names them. Linux means glibc, Darwin macOS. */
export const PLATFORMS = ["linux-x64", "linux-arm64", "darwin-arm64", "darwin-x64"] as const;
export type Platform = (typeof PLATFORMS)[number];

const Sri256 = z.string().regex(/^sha256-[A-Za-z0-9+/]{43}=$/);
const Sri512 = z.string().regex(/^sha512-[A-Za-z0-9+/]{86}==$/);

const PinFile = z.strictObject({
  version: z.string(),
  /** npm package that is pinned. */
  package: z.string(),
  /** The program, relative to the installed tree. */
  entry: z.string(),
  /** `engines.node` of the package. */
  node: z.string(),
  /** NAR hash of the tree that holds `node_modules` and nothing else, see docs/openclaw.md. */
  narHash: z.partialRecord(z.enum(PLATFORMS), Sri256),
  /** Bytes of file contents in that tree. */
  size: z.partialRecord(z.enum(PLATFORMS), z.int().nonnegative()),
  /** Channel plugins that are not bundled, in the latest version that goes with this OpenClaw. */
  plugins: z.record(
    z.string(),
    z.strictObject({ id: z.string(), version: z.string(), integrity: Sri512 }),
  ),
  /** Plugins that OpenClaw installs by itself as soon as one of these variables is set. */
  autoInstalls: z.array(z.strictObject({ id: z.string(), variables: z.array(z.string()) })),
});
export type PinFile = z.infer<typeof PinFile>;

/** One pinned version of OpenClaw: what to install, and how to know that it is the right thing. */
export interface OpenClawPin extends PinFile {
  /** Holds `package.json`, `package-lock.json` and `pin.json`. */
  readonly folder: string;
}

/** What a version may look like; it becomes part of paths, so nothing else gets through. */
export function isVersion(text: string): boolean {
  return (
    /^\d{1,5}\.\d{1,5}\.\d{1,5}(?:-[0-9A-Za-z][0-9A-Za-z.]{0,40})?$/.test(text) &&
    !text.includes("..")
  );
}

/** The pins that come with Seawall: one folder per version. */
export const PINS = fileURLToPath(new URL("../../pins/openclaw", import.meta.url));

/** All that a pin consists of. */
export const PIN_FILES = ["package.json", "package-lock.json", "pin.json"] as const;

/** Versions that are pinned, oldest first. */
export function listPins(pins: string = PINS): string[] {
  return readdirSync(pins).filter(isVersion).toSorted(compareVersions);
}

/**
 * The newest version that is pinned.
 *
 * @throws OpenClawError `no-pin` when none is.
 */
export function latestPin(pins: string = PINS): string {
  const latest = listPins(pins).at(-1);
  if (latest !== undefined) return latest;
  throw new OpenClawError("no-pin", "no OpenClaw is pinned", {
    hint: "pin one with: seawall pin VERSION",
  });
}

/**
 * Reads the pin of one version.
 *
 * @param pins a folder with one folder per version, as `pins/openclaw`.
 * @throws OpenClawError `no-pin` when there is none, `bad-pin` when it can't be used.
 */
export function readPin(version: string, pins: string = PINS): OpenClawPin {
  if (!isVersion(version)) {
    throw new OpenClawError("no-pin", `"${version}" is not a version of OpenClaw`, {
      hint: "give an exact version such as 2026.9.6",
    });
  }
  const folder = join(pins, version);
  try {
    const pin = PinFile.parse(JSON.parse(readFileSync(join(folder, "pin.json"), "utf8")));
    if (pin.version !== version) throw new Error("pin.json is of another version");
    return { ...pin, folder };
  } catch (cause) {
    if (cause instanceof Error && "code" in cause && cause.code === "ENOENT") {
      throw new OpenClawError("no-pin", `OpenClaw ${version} is not pinned`, {
        hint: `pin it with: seawall pin ${version}`,
        cause,
      });
    }
    throw new OpenClawError("bad-pin", `the pin of OpenClaw ${version} can't be used`, {
      where: join(folder, "pin.json"),
      hint: `make it anew with: seawall pin ${version}`,
      cause,
    });
  }
}

/**
 * The kind of machine this is.
 *
 * @throws OpenClawError `unsupported-platform` when OpenClaw isn't pinned for it.
 */
export function thisPlatform(): Platform {
  const name = `${process.platform}-${process.arch}`;
  const platform = PLATFORMS.find((known) => known === name);
  if (platform === undefined) {
    throw new OpenClawError("unsupported-platform", `OpenClaw is not pinned for ${name}`, {
      hint: `it is pinned for ${PLATFORMS.join(" and ")}`,
    });
  }
  return platform;
}
