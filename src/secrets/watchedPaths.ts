import { join } from "node:path";
import type { SecretSource } from "../plan/index.ts";
import type { StoreSettings } from "./StoreSettings.ts";

/**
 * The files that a secret's value depends on: when one of them changes, the value may be another.
 * None for stores that can't be watched: a program, the desktop's keyring, the environment.
 */
export function watchedPaths(source: SecretSource, settings: StoreSettings): readonly string[] {
  switch (source.store) {
    case "vault":
      return [settings.vault.file, settings.vault.identity];
    case "file":
      return [source.path];
    case "age":
    case "sops":
      return [
        source.path,
        ...(source.identity === undefined ? [] : [source.identity]),
        ...(source.passphrase === undefined ? [] : watchedPaths(source.passphrase, settings)),
      ];
    case "credential":
      return [source.path ?? join(settings.credentials ?? "/", source.name)];
    case "keyring":
    case "exec":
    case "env":
      return [];
    default:
      return source satisfies never;
  }
}
