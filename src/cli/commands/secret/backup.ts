import { countOf } from "../../countOf.ts";
import { resolve } from "node:path";
import { openTools, SecretValue } from "../../../secrets/index.ts";
import { askHidden } from "../../askHidden.ts";
import type { Call, ExitStatus } from "../../Command.ts";
import { askNewPassphrase, openExistingVault, openOrCreateVault } from "../../openStore.ts";
import { readRecipients } from "./exportTo.ts";
import { tellBroker } from "./tellBroker.ts";

/** `seawall secret backup FILE` */
export async function backup(call: Call, [file = ""]: readonly string[]): Promise<ExitStatus> {
  const { backupVault, parseRecipients } = await openTools();
  const vault = await openExistingVault(call);
  const given = call.value("recipients");
  const whom =
    given === undefined
      ? { passphrase: await askNewPassphrase("the backup") }
      : { recipients: parseRecipients(readRecipients(given)) };
  const names = await backupVault(vault, resolve(file), whom);
  if (call.json) call.output.json({ ok: true, file: resolve(file), names });
  else call.output.line(`wrote ${countOf(names.length, "secret")} to ${resolve(file)}`);
  return 0;
}

/** `seawall secret restore FILE` */
export async function restore(call: Call, [file = ""]: readonly string[]): Promise<ExitStatus> {
  const { restoreVault } = await openTools();
  const identity = call.value("identity");
  const key =
    identity === undefined
      ? { passphrase: new SecretValue(await askHidden("passphrase of the backup: ")) }
      : { identity: resolve(identity) };
  const vault = await openOrCreateVault(call);
  const names = await restoreVault(vault, resolve(file), key, { replace: call.flag("replace") });
  await tellBroker(call);
  if (call.json) call.output.json({ ok: true, names });
  else
    call.output.line(`restored ${countOf(names.length, "secret")}: ${names.join(", ") || "none"}`);
  return 0;
}
