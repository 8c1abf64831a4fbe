import type { SecretSource } from "../plan/index.ts";
import { readAgeKeys } from "./age/readAgeKeys.ts";
import { secretFromStore } from "./checkSecret.ts";
import { SecretError } from "./SecretError.ts";
import type { SecretStore } from "./SecretStore.ts";
import type { SecretValue } from "./SecretValue.ts";
import { decryptSops, type SopsFault } from "./sops/decryptSops.ts";
import { readSops, type SopsShapeFault } from "./sops/readSops.ts";
import type { StoreSettings } from "./StoreSettings.ts";
import { readTrustedFile } from "./trustedFile.ts";

const LIMIT = 4 * 1024 * 1024;

type SopsSource = Extract<SecretSource, { store: "sops" }>;

/** One key of a SOPS file, YAML or JSON, with age recipients. The whole file is checked by its MAC. */
export function sopsStore(
  settings: StoreSettings,
  readOther: (source: SecretSource) => Promise<SecretValue>,
): SecretStore<SopsSource> {
  return {
    read: async (source) => {
      const passphrase =
        source.passphrase === undefined ? undefined : await readOther(source.passphrase);
      const { bytes, path } = await readTrustedFile(source.path, {
        what: "SOPS file",
        limit: LIMIT,
        holds: "encrypted",
      });
      const keys = await readAgeKeys({
        path: source.identity,
        botReadable: settings.botReadable ?? [],
        ...(passphrase === undefined ? {} : { passphrase }),
      });
      const tree = readSops(bytes.toString("utf8"));
      if ("fault" in tree) throw shapeError(tree.fault, path);
      const opened = await decryptSops(tree, source.key, keys);
      if ("fault" in opened) throw openError(opened.fault, path, source);
      return secretFromStore(opened.value, `"${source.key.join("/")}" in SOPS file "${path}"`);
    },
  };
}

function shapeError(fault: SopsShapeFault, path: string): SecretError {
  if (fault === "not-sops")
    return new SecretError("damaged", `"${path}" is not a SOPS file in YAML or JSON`);
  const what = {
    "several-documents": "more than one document",
    "key-groups": "key groups",
    "comment-rules": "rules that go by comments",
  }[fault];
  return new SecretError(
    "unsupported",
    `SOPS file "${path}" has ${what}, which can't be read here`,
    {
      hint: 'let SOPS read it: exec: ["sops", "decrypt", "--extract", …]',
    },
  );
}

function openError(fault: SopsFault, path: string, { key, identity }: SopsSource): SecretError {
  const at = key.join("/");
  switch (fault) {
    case "foreign":
      return new SecretError(
        "wrong-recipient",
        `SOPS file "${path}" was not encrypted for "${identity}"`,
        {
          hint: "add its recipient to .sops.yaml, then: sops updatekeys",
        },
      );
    case "no-age":
      return new SecretError("unsupported", `SOPS file "${path}" has no age recipient`, {
        hint: 'add one, or let SOPS read it: exec: ["sops", "decrypt", "--extract", …]',
      });
    case "damaged":
      return new SecretError("damaged", `SOPS file "${path}" is damaged`, {
        hint: "take it from git again",
      });
    case "mac":
      return new SecretError("wrong-mac", `SOPS file "${path}" was altered: its MAC is wrong`, {
        hint: "take it from git again, and edit it with sops only",
      });
    case "absent":
      return new SecretError("missing", `SOPS file "${path}" has no value at "${at}"`);
    case "branch":
      return new SecretError("missing", `"${at}" in SOPS file "${path}" is not one value`, {
        hint: `name the steps to one, as "${at}/name"`,
      });
    default:
      return fault satisfies never;
  }
}
