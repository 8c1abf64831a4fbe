import { SecretError, secretFromInput, type SecretValue } from "../../../secrets/index.ts";
import { askHidden, readAllInput } from "../../askHidden.ts";
import type { Call, ExitStatus } from "../../Command.ts";
import { openForWriting } from "../../openStore.ts";
import { tellBroker } from "./tellBroker.ts";

/** `seawall secret set NAME` */
export async function set(call: Call, [name = ""]: readonly string[]): Promise<ExitStatus> {
  const store = await openForWriting(call);
  await store.set(name, await askValue(name));
  const told = await tellBroker(call);
  if (call.json) call.output.json({ ok: true, name, store: store.store });
  else call.output.line(`stored "${name}"${told ? "; it is in use" : ""}`);
  return 0;
}

/** `seawall secret rotate NAME` */
export async function rotate(call: Call, [name = ""]: readonly string[]): Promise<ExitStatus> {
  const store = await openForWriting(call);
  // Before anybody types a value that then has nowhere to go.
  const there = (await store.list()).some((secret) => secret.name === name);
  if (!there) {
    throw new SecretError("missing", `there is no secret "${name}" to exchange`, {
      hint: `store it with: seawall secret set ${name}`,
    });
  }
  const value = await askValue(name);
  // A folder of age files may be written where nothing opens it.
  const old = await store.read(name).catch((error: unknown) => {
    if (error instanceof SecretError && error.code === "locked") return undefined;
    throw error;
  });
  if (old?.equals(value) === true) {
    throw new SecretError("exists", `"${name}" has that value already`, {
      hint: "make a new one where the service is, then rotate, then revoke the old one",
    });
  }
  await store.set(name, value);
  const told = await tellBroker(call);
  if (call.json) call.output.json({ ok: true, name, store: store.store, inUse: told });
  else {
    const since = told ? "in use from the next call on" : "in use at the next start";
    call.output.line(`exchanged "${name}"; the new value is ${since}. Now revoke the old one`);
  }
  return 0;
}

async function askValue(name: string): Promise<SecretValue> {
  const typed = process.stdin.isTTY
    ? Buffer.from(
        await askHidden(`value of "${name}" (not shown): `, "give the value on standard input"),
      )
    : await readAllInput();
  return secretFromInput(typed);
}
