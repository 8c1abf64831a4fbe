import { z } from "zod";
import { secretName, variable } from "./words.ts";

const path = z
  .string()
  .max(1024)
  .regex(/^\P{Cc}*[^\p{Cc}/]$/u, 'a file\'s path, as "/run/secrets/name"');

const entry = z
  .string()
  .max(256)
  .regex(/^\P{Cc}+$/u, "a name without control characters");

/**
 * Where one secret's value is kept. Exactly one of the keys that name a store stands in it, which
 * the plan checks: as a union, a misspelt key would be reported as a wrong form of everything.
 */
export const secretSchema = z
  .strictObject({
    vault: secretName.optional().describe("Name in the embedded vault."),
    file: path.optional().describe("File that holds the value, as agenix and sops-nix make them."),
    age: path.optional().describe("File encrypted with age."),
    sops: path.optional().describe("SOPS file, YAML or JSON, with age recipients."),
    systemdCredential: z
      .string()
      .regex(/^[A-Za-z0-9_][A-Za-z0-9_.:-]{0,254}$/, "a credential's name")
      .optional()
      .describe("Name of a systemd credential ($CREDENTIALS_DIRECTORY)."),
    keyring: entry.optional().describe("Account in the desktop's keyring."),
    exec: z
      .array(
        z
          .string()
          .max(4096)
          .regex(/^[^\0]*$/, "text without NUL"),
      )
      .min(1)
      .max(64)
      .optional()
      .describe("Program and arguments; it prints the value. No shell."),
    env: variable.optional().describe("Variable of the broker's environment. The worst place."),
    key: z
      .string()
      .max(256)
      .regex(/^[^/\0]+(?:\/[^/\0]+)*$/, 'the steps to a value, as "anthropic/api_key"')
      .optional()
      .describe("For sops: the steps to the value in the file."),
    identity: path.optional().describe("For age and sops: age identity file or SSH private key."),
    passphrase: secretName
      .optional()
      .describe("For age and sops: the secret that opens the identity, or the file itself."),
    encrypted: path
      .optional()
      .describe("For systemdCredential: a file that systemd-creds encrypted under that name."),
    service: entry.optional().describe('For keyring: the service, "seawall" if absent.'),
  })
  .describe("Where a value is kept.");

export type DeclaredSecret = z.output<typeof secretSchema>;
