import type { Call, ExitStatus } from "../../Command.ts";
import { openExisting } from "../../openStore.ts";
import { tellBroker } from "./tellBroker.ts";

/** `seawall secret rm NAME` */
export async function remove(call: Call, [name = ""]: readonly string[]): Promise<ExitStatus> {
  const store = await openExisting(call);
  await store.rm(name);
  await tellBroker(call);
  if (call.json) call.output.json({ ok: true, name, store: store.store });
  else call.output.line(`removed "${name}"`);
  return 0;
}
