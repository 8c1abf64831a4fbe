import { countOf } from "../../countOf.ts";
import { homedir } from "node:os";
import { statSync } from "node:fs";
import {
  openInstallation,
  planImport,
  readEnvFile,
  readOpenClaw,
  readStore,
  type Candidate,
  type ImportPlan,
  type LeftOut,
} from "../../../migration/index.ts";
import { openWritableStore, type WritableStore } from "../../../secrets/index.ts";
import type { Call, ExitStatus } from "../../Command.ts";
import { confirm } from "../../confirm.ts";
import { hasVault } from "../../hasVault.ts";
import { openForWriting, storeName } from "../../openStore.ts";

type Read = { readonly candidates: readonly Candidate[]; readonly left: readonly LeftOut[] };

/** `seawall secret import`: copies values into a store; where they come from nothing changes. */
export async function importSecrets(
  call: Call,
  [source = ""]: readonly string[],
): Promise<ExitStatus> {
  const { candidates, left } = await readSource(call, source);
  const dry = call.flag("dry-run");
  // Without a vault yet, looking makes none.
  const store =
    dry && storeName(call) === "vault" && !hasVault(call) ? undefined : await openForWriting(call);
  const plan = await planImport(
    candidates,
    left,
    store ?? { list: async () => [], read: nothingThere },
  );
  if (!call.json) show(call, plan, storeName(call));
  const taken = dry || store === undefined ? [] : await take(call, plan, store);
  if (call.json) {
    const list = (items: readonly Candidate[]): object[] =>
      items.map(({ name, place }) => ({ name, place }));
    call.output.json({
      ok: true,
      store: storeName(call),
      take: list(plan.take),
      known: list(plan.known),
      clashes: list(plan.clashes),
      left: plan.left,
      taken: taken.map(({ name }) => name),
    });
  } else if (!dry) call.output.line(`stored ${taken.length}`);
  return plan.clashes.some((clash) => !taken.includes(clash)) && !dry ? 1 : 0;
}

async function readSource(call: Call, source: string): Promise<Read> {
  if (source === "nono")
    return readStore(
      await openWritableStore({ store: "keyring", service: "nono" }),
      "keyring, service nono",
    );
  if (statSync(source, { throwIfNoEntry: false })?.isDirectory() !== true)
    return readEnvFile(source);
  return readOpenClaw(await openInstallation(source, homedir(), call.paths));
}

/** All of it in one change of the store. */
async function take(
  call: Call,
  plan: ImportPlan,
  store: WritableStore,
): Promise<readonly Candidate[]> {
  const chosen = new Map(plan.take.map((each) => [each.name, each]));
  const count = chosen.size;
  if (count > 0 && !(await confirm(call, `store ${countOf(count, "secret")}?`))) return [];
  for (const clash of plan.clashes) {
    // Never by --yes alone: what is there would be lost.
    const replace = call.flag("yes")
      ? call.flag("replace")
      : await confirm(
          call,
          `"${clash.name}" is there with another value; replace it by that of ${clash.place}?`,
        );
    if (replace) chosen.set(clash.name, clash);
  }
  if (chosen.size > 0)
    await store.setAll(new Map([...chosen].map(([name, { value }]) => [name, value])));
  return [...chosen.values()];
}

function show(call: Call, { take: fresh, known, clashes, left }: ImportPlan, store: string): void {
  const { output } = call;
  output.line(fresh.length === 0 ? "nothing new" : `into the ${store}:`);
  for (const { name, place } of fresh) output.line(`  ${name}  from ${place}`);
  for (const { name, place } of known) output.line(`there already: ${name}, as in ${place}`);
  for (const { name, place } of clashes)
    output.line(`there with another value: ${name}, from ${place} (with --yes: add --replace)`);
  for (const { place, why, hint } of left)
    output.line(`left: ${place}: ${why}${hint === undefined ? "" : ` (${hint})`}`);
}

function nothingThere(): never {
  throw new TypeError("an empty store was asked for a value");
}
