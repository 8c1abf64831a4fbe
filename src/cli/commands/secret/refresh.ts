import { askSupervisor } from "../../../host/index.ts";
import type { Call, ExitStatus } from "../../Command.ts";

/** `seawall secret refresh`. Exit 1 when a secret couldn't be read, which `status` says more about. */
export async function refresh({ paths, output, json }: Call): Promise<ExitStatus> {
  await askSupervisor(paths, { verb: "refresh-secrets" });
  const reply = await askSupervisor(paths, { verb: "status" });
  const health = reply.kind === "status" ? reply.status.health : [];
  const wrong = health.filter(({ key }) => key === "vault" || key.startsWith("secret:"));
  if (json) output.json({ ok: wrong.length === 0, health: wrong });
  else if (wrong.length === 0) output.line("all secrets were read anew");
  else for (const { warning } of wrong) output.line(`warning: ${warning}`);
  return wrong.length === 0 ? 0 : 1;
}
