import {
  usedSecrets,
  type BotPlan,
  type Plan,
  type SecretPlan,
  type SecretSource,
} from "../../plan/index.ts";
import { TargetError } from "../TargetError.ts";
import type { SystemdPaths } from "./SystemdInput.ts";
import { plainWord, type Directives } from "./unitFile.ts";

/** How systemd hands one secret to a broker, and where the broker then finds it. */
export interface Delivery {
  readonly secret: string;
  readonly directives: Directives;
  readonly source: SecretSource;
}

/** Where a credential is that `systemd-creds encrypt` made, unless its secret says otherwise. */
export function encryptedCredential(name: string): string {
  return `/etc/credstore.encrypted/${name}`;
}

/**
 * The credentials of one bot's broker: the vault where a secret of its grants lies there, and each
 * other secret of its grants by itself. Those of other bots are not among them.
 *
 * @throws TargetError `no-place` for a store that can't be had when a machine boots.
 */
export function deliverSecrets(plan: Plan, bot: BotPlan, paths: SystemdPaths): Delivery[] {
  return usedSecrets(plan, bot).secrets.map((secret) => ({
    secret: secret.name,
    ...deliverSecret(secret, paths),
  }));
}

function deliverSecret(
  { name, source }: SecretPlan,
  paths: SystemdPaths,
): Omit<Delivery, "secret"> {
  // What comes by name of its own must not be taken for the vault.
  const own = `secret.${plainWord(name)}`;
  switch (source.store) {
    case "vault": {
      const { file, identity } = paths.vault;
      return {
        directives: [
          ["LoadCredential", `vault.age:${plainWord(file)}`],
          ["LoadCredential", `vault.key:${plainWord(identity)}`],
        ],
        source,
      };
    }
    case "file":
      if (!source.path.startsWith("/"))
        throw noPlace(`the file of secret "${name}" isn't named by its whole path`);
      return {
        directives: [["LoadCredential", `${own}:${plainWord(source.path)}`]],
        source: { store: "credential", name: own },
      };
    case "credential": {
      const place = source.path ?? encryptedCredential(source.name);
      if (!place.startsWith("/"))
        throw noPlace(`the file of secret "${name}" isn't named by its whole path`);
      // The name is sealed into what systemd-creds encrypts, so it stays as it is.
      return {
        directives: [["LoadCredentialEncrypted", `${plainWord(source.name)}:${plainWord(place)}`]],
        source: { store: "credential", name: source.name },
      };
    }
    case "age":
    case "sops":
    case "keyring":
    case "exec":
    case "env":
      throw noPlace(`secret "${name}" is in a store that services can't read: ${source.store}`);
    default:
      return source satisfies never;
  }
}

function noPlace(message: string): TargetError {
  return new TargetError("no-place", message, {
    hint: "keep it in the vault, in a file named by its whole path, or as a credential of systemd",
  });
}
