import assert from "node:assert/strict";
import { execFile, spawnSync } from "node:child_process";
import { chmodSync, mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import type { TestContext } from "node:test";
import { inspect, promisify } from "node:util";
import type { SecretSource } from "../../plan/index.ts";
import { SecretError, type SecretErrorCode, type StoreSettings } from "../index.ts";
import { openDirect } from "../openDirect.ts";

export const run = promisify(execFile);

/** What no error may show. */
export const MARK = "real-value-7f3a9c-e81b";

/** A folder of a test's own, and readers of the stores as the store process has them. */
export class StoreSetup {
  readonly folder: string;
  readonly settings: StoreSettings;

  constructor(t: TestContext, more: Partial<StoreSettings> = {}) {
    this.folder = mkdtempSync(join(tmpdir(), "seawall-stores-"));
    t.after(() => rmSync(this.folder, { recursive: true, force: true }));
    this.settings = {
      vault: { file: join(this.folder, "vault.age"), identity: join(this.folder, "vault.key") },
      ...more,
    };
  }

  at(name: string): string {
    return join(this.folder, name);
  }

  write(name: string, text: string | Uint8Array, mode = 0o600): string {
    writeFileSync(this.at(name), text, { mode });
    chmodSync(this.at(name), mode);
    return this.at(name);
  }

  async read(source: SecretSource): Promise<string> {
    return (await openDirect(this.settings).read(source)).revealSecret();
  }

  async fails(source: SecretSource, code: SecretErrorCode, message?: RegExp): Promise<void> {
    await assert.rejects(this.read(source), failsWith(code, message));
  }
}

/** The error's code is right, and nowhere in it is the marked value or an identity. */
export function failsWith(code: SecretErrorCode, message?: RegExp): (error: unknown) => true {
  return (error) => {
    assert(error instanceof SecretError, inspect(error));
    assert.equal(error.code, code, error.message);
    if (message !== undefined) assert.match(error.message, message);
    const everything = inspect(error, { depth: 9, showHidden: true }) + String(error.stack);
    for (const hidden of ["real-value", "AGE-SECRET-KEY-1", "BEGIN OPENSSH"])
      assert(!everything.includes(hidden), everything);
    return true;
  };
}

/** Skips visibly where a program is missing, and fails where CI declares that all are there. */
export function needs(...programs: string[]): { readonly skip: string | false } {
  const missing = programs.filter(
    (program) => spawnSync("sh", ["-c", `command -v ${program}`]).status !== 0,
  );
  if (missing.length === 0) return { skip: false };
  const what = `needs ${missing.join(", ")}`;
  assert(process.env["CI"] !== "true", `${what}, which CI=true declares present`);
  return { skip: what };
}
