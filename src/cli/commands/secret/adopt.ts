import { homedir } from "node:os";
import { join } from "node:path";
import {
  adopt,
  isHalfDone,
  openInstallation,
  planAdoption,
  undoAdoption,
  type Adoption,
} from "../../../migration/index.ts";
import { openWritableStore } from "../../../secrets/index.ts";
import type { Call, ExitStatus } from "../../Command.ts";
import { confirm } from "../../confirm.ts";
import { hasVault } from "../../hasVault.ts";
import { openOrCreateVault, storeLocation, storeName } from "../../openStore.ts";
import { UsageError } from "../../UsageError.ts";

const FILE = "seawall.json5";

/** `seawall secret adopt`: an OpenClaw installation becomes a bot. */
export async function adoptInstallation(
  call: Call,
  [folder]: readonly string[],
): Promise<ExitStatus> {
  const { output, paths: state } = call;
  const installation = await openInstallation(folder, homedir(), state);
  const dry = call.flag("dry-run");
  if (call.flag("undo")) {
    if (dry) throw new UsageError("--undo and --dry-run don't go together", "leave one out");
    return undo(call, { installation, state, vault: await openOrCreateVault(call) });
  }
  const location = storeLocation(call);
  // Without a vault yet, looking makes none.
  const vault = dry && !hasVault(call) ? undefined : await openOrCreateVault(call);
  const store = location.store === "vault" ? vault : await openWritableStore(location);
  if (!dry && vault !== undefined && isHalfDone(state, installation.folder)) {
    output.progress("an adoption was cut short; taking it back first");
    await undoAdoption({ installation, state, vault });
  }
  const adoption = await planAdoption({
    installation,
    bot: call.value("bot") ?? "openclaw",
    file: call.value("file") ?? join(process.cwd(), FILE),
    state,
    store: store ?? NO_VAULT_YET,
  });
  if (dry && call.json) output.json({ ok: true, ...described(adoption) });
  if (!call.json) show(call, adoption, storeName(call));
  if (dry || vault === undefined || store === undefined) return 0;
  if (!(await confirm(call, `take over ${adoption.composed.moves.length} credentials?`))) {
    output.progress("nothing was changed");
    return 1;
  }
  const { changed, backup } = await adopt(adoption, { state, location, store, vault });
  if (call.json) output.json({ ok: true, ...described(adoption), changed, backup });
  else {
    output.line(
      `wrote ${adoption.file}; phantoms are in ${changed.length} files; backup: ${backup}`,
    );
    output.progress(`next: seawall secret scan ${installation.folder}, seawall check, seawall up`);
    output.progress("to take it back: seawall secret adopt --undo");
  }
  return 0;
}

/** A store that a dry run can ask. */
const NO_VAULT_YET = {
  list: async () => [],
  declare: (name: string) => ({ vault: name }),
};

async function undo(call: Call, parts: Parameters<typeof undoAdoption>[0]): Promise<ExitStatus> {
  const { output } = call;
  const { folder } = parts.installation;
  const left = await undoAdoption(parts);
  if (call.json) output.json({ ok: true, folder, left });
  else {
    output.line(`${folder} is as it was`);
    for (const each of left) output.line(`left: ${each}`);
  }
  return 0;
}

function described({ installation, bot, file, composed, left }: Adoption): object {
  return {
    folder: installation.folder,
    bot,
    file,
    secrets: composed.moves.map(({ secret, service, granted, places }) => ({
      name: secret,
      service,
      granted,
      places,
    })),
    left,
    declaration: composed.declaration,
  };
}

function show(
  call: Call,
  { installation, composed, left, text, file }: Adoption,
  store: string,
): void {
  const { output } = call;
  output.line(`from ${installation.folder} into the ${store}:`);
  for (const { secret, granted, places } of composed.moves) {
    output.line(`  ${secret}${granted ? "" : " (stored, not used)"}`);
    for (const place of places) output.line(`    ${place}`);
  }
  if (left.length > 0) output.line("left where it is:");
  for (const { place, why, hint } of left)
    output.line(`  ${place}: ${why}${hint === undefined ? "" : ` (${hint})`}`);
  output.line(`${file}:`);
  for (const line of text.trimEnd().split("\n")) output.line(`  ${line}`);
}
