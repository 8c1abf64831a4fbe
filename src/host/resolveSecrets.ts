import { userInfo } from "node:os";
import { dirname, join, resolve } from "node:path";
import type { SecretPlan, SecretSource } from "../plan/index.ts";
import type { Generation } from "./Generation.ts";

/** The plan's secrets with the paths of this machine. */
export function resolveSecrets(generation: Generation): SecretPlan[] {
  const folder = dirname(generation.declaration);
  return generation.plan.secrets.map(({ name, source }) => ({
    name,
    source: resolveSource(source, folder),
  }));
}

/** @param folder what relative paths are relative to: that of the declaration. */
export function resolveSource(source: SecretSource, folder: string): SecretSource {
  const at = (path: string): string =>
    path.startsWith("~/") ? join(userInfo().homedir, path.slice(2)) : resolve(folder, path);
  switch (source.store) {
    case "file":
      return { ...source, path: at(source.path) };
    case "age":
    case "sops":
      return {
        ...source,
        path: at(source.path),
        ...(source.identity === undefined ? {} : { identity: at(source.identity) }),
        ...(source.passphrase === undefined
          ? {}
          : { passphrase: resolveSource(source.passphrase, folder) }),
      };
    case "credential":
      return source.path === undefined ? source : { ...source, path: at(source.path) };
    case "vault":
    case "keyring":
    case "exec":
    case "env":
      return source;
    default:
      return source satisfies never;
  }
}

/** Variables of the environment that the broker has to be given. */
export function secretVariables(secrets: readonly SecretPlan[]): string[] {
  return secrets.flatMap(({ source }) => (source.store === "env" ? [source.variable] : []));
}
