import { readdir, readFile, rm, stat } from "node:fs/promises";
import { basename, join } from "node:path";
import { takeLock } from "../../files/index.ts";
import { ageStore } from "../ageStore.ts";
import { checkEntries, checkSecretName } from "../checkSecret.ts";
import type { WritableLocation } from "../openWritableStore.ts";
import { SecretError } from "../SecretError.ts";
import type { SecretValue } from "../SecretValue.ts";
import { quotePath, trustedPath } from "../trustedFile.ts";
import type { StoredSecret, WritableStore } from "../WritableStore.ts";
import { diskError, removeLeftovers, writePrivateFile } from "../writePrivateFile.ts";
import { encryptAge, parseRecipients } from "./encryptAge.ts";

type Location = Extract<WritableLocation, { store: "age" }>;

/** For whom the files of a folder are encrypted, as `age -R` takes it. */
export const RECIPIENTS_FILE = "recipients.txt";
/** Empty; only there so that one process writes at a time. */
const LOCK_FILE = ".lock";

/**
 * A folder of `NAME.age`, each encrypted to the recipients in its `recipients.txt`. It can be written
 * without anything that opens it, and kept in git.
 */
export class AgeFolder implements WritableStore {
  readonly store = "age";
  readonly #location: Location;
  readonly #recipients: readonly string[];

  private constructor(location: Location, recipients: readonly string[]) {
    this.#location = location;
    this.#recipients = recipients;
  }

  /** @throws SecretError `missing`, `unsafe-mode`, `unsupported` */
  static async open(location: Location): Promise<AgeFolder> {
    const folder = await trustedPath(location.folder, "folder of age files");
    const file = join(folder, RECIPIENTS_FILE);
    const text = await readFile(file, "utf8").catch((cause: unknown) => {
      throw new SecretError("missing", `there is no "${file}"`, {
        hint: `write into it for whom, one a line: ssh-ed25519 … or age1…`,
        cause,
      });
    });
    const recipients = parseRecipients(text);
    if (recipients.length === 0) {
      throw new SecretError("missing", `"${file}" names nobody`, {
        hint: "write into it for whom, one a line: ssh-ed25519 … or age1…",
      });
    }
    return new AgeFolder({ ...location, folder }, recipients);
  }

  async set(name: string, value: SecretValue): Promise<void> {
    await this.setAll(new Map([[name, value]]));
  }

  async setAll(entries: ReadonlyMap<string, SecretValue>): Promise<void> {
    checkEntries(entries);
    await this.#alone(async () => {
      for (const [name, value] of entries) {
        const text = Buffer.from(value.revealSecret());
        const bytes = await encryptAge(text, { recipients: this.#recipients });
        await removeLeftovers(this.#file(name));
        await writePrivateFile(this.#file(name), bytes, { replace: true });
      }
    });
  }

  async rm(name: string): Promise<void> {
    checkSecretName(name);
    await this.#alone(async () => {
      await removeLeftovers(this.#file(name));
      await rm(this.#file(name)).catch((cause: unknown) => {
        if ((cause as NodeJS.ErrnoException).code === "ENOENT") throw this.#missing(name);
        throw diskError(this.#file(name), cause);
      });
    });
  }

  async list(): Promise<StoredSecret[]> {
    const names = (await readdir(this.#location.folder)).filter((name) => name.endsWith(".age"));
    return Promise.all(
      names.toSorted().map(async (name) => ({
        name: basename(name, ".age"),
        updated: (await stat(join(this.#location.folder, name))).mtime.toISOString(),
      })),
    );
  }

  async read(name: string): Promise<SecretValue> {
    checkSecretName(name);
    const { identity, passphrase } = this.#location;
    if (identity === undefined) {
      throw new SecretError("locked", `reading "${name}" takes an identity`, {
        hint: "name it: --identity FILE",
      });
    }
    const store = ageStore({ vault: { file: "", identity: "" } }, async () => {
      if (passphrase !== undefined) return passphrase;
      throw new SecretError("locked", `identity ${quotePath(identity)} needs its passphrase`);
    });
    return store.read({ store: "age", path: this.#file(name), identity });
  }

  declare(name: string): { age: string; identity: string } {
    return {
      age: this.#file(name),
      identity: this.#location.identity ?? "/etc/ssh/ssh_host_ed25519_key",
    };
  }

  /** Keeps out other writers, whose unfinished files would look like those of one that died. */
  async #alone(work: () => Promise<void>): Promise<void> {
    const file = join(this.#location.folder, LOCK_FILE);
    using lock = await takeLock(file, 10_000).catch((cause: unknown) => {
      throw diskError(file, cause);
    });
    if (lock === undefined) {
      throw new SecretError("busy", "another process is writing to the folder of age files", {
        hint: "wait for it, then try again",
      });
    }
    await work();
  }

  #file(name: string): string {
    return join(this.#location.folder, `${name}.age`);
  }

  #missing(name: string): SecretError {
    return new SecretError("missing", `there is no "${name}.age" in "${this.#location.folder}"`, {
      hint: "see which there are with: seawall secret list --store age --folder DIR",
    });
  }
}
