import { closeSync, constants, fstatSync, openSync, readFileSync, writeFileSync } from "node:fs";
import { mkdtempSync, mkdirSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { lockedPackages } from "./lockedPackages.ts";
import { OpenClawError } from "./OpenClawError.ts";
import { PIN_FILES, PINS, readPin, thisPlatform, type OpenClawPin } from "./Pin.ts";
import { removeTree } from "./removeTree.ts";
import { replacePin } from "./replacePin.ts";

/** OpenClaw's lock is 400 KB. */
const LARGEST = 32 * 1024 * 1024;

/**
 * Takes over a pin that somebody without rights has made: read once, as plain files and nothing else,
 * checked like any pin, and put among Seawall's own, at once or not at all.
 *
 * @param from a folder of pins
 * @throws OpenClawError `bad-pin` for what isn't a pin of that version, `store` where it can't be written
 */
export function adoptPin(version: string, from: string, pins: string = PINS): OpenClawPin {
  const work = mkdtempSync(join(tmpdir(), "seawall-adopt-"));
  try {
    const copy = join(work, version);
    mkdirSync(copy);
    for (const name of PIN_FILES)
      writeFileSync(join(copy, name), readPlain(join(from, version, name)));
    const pin = readPin(version, work);
    lockedPackages(pin.folder, thisPlatform());
    if (pin.entry.split("/").includes("..") || pin.entry.startsWith("/"))
      throw new OpenClawError("bad-pin", "the pin names a program outside of its tree");
    try {
      replacePin(copy, join(pins, version), pins);
    } catch (cause) {
      throw new OpenClawError("store", "the new pin can't be written", {
        where: join(pins, version),
        hint: 'make this folder writable for root, or say from: "pins"',
        cause,
      });
    }
    return readPin(version, pins);
  } finally {
    removeTree(work);
  }
}

function readPlain(path: string): Buffer {
  try {
    const file = openSync(path, constants.O_RDONLY | constants.O_NOFOLLOW | constants.O_NONBLOCK);
    try {
      const stat = fstatSync(file);
      if (!stat.isFile() || stat.size > LARGEST) throw new Error("not a file of a pin");
      return readFileSync(file);
    } finally {
      closeSync(file);
    }
  } catch (cause) {
    throw new OpenClawError("bad-pin", "the new pin can't be read", { where: path, cause });
  }
}
