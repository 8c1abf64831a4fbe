import type { Command } from "../Command.ts";
import { approve, deny } from "./approve.ts";
import { audit } from "./audit.ts";
import { build } from "./build.ts";
import { check } from "./check.ts";
import { demo } from "./demo.ts";
import { doctor } from "./doctor.ts";
import { down } from "./down.ts";
import { generations } from "./generations.ts";
import { logs } from "./logs.ts";
import { pin } from "./pin.ts";
import { plan } from "./plan.ts";
import { profile } from "./profile.ts";
import { prove } from "./prove.ts";
import { restart } from "./restart.ts";
import { rollback } from "./rollback.ts";
import { run } from "./run.ts";
import { schema } from "./schema.ts";
import { secret } from "./secret.ts";
import { service } from "./service.ts";
import { status } from "./status.ts";
import { switchCommand } from "./switch.ts";
import { uninstall } from "./uninstall.ts";
import { up } from "./up.ts";
import { why } from "./why.ts";

/** Every command, in the order of the help. A new one is a new file and a line. */
export const commands: readonly Command[] = [
  demo,
  check,
  plan,
  up,
  down,
  restart,
  build,
  switchCommand,
  rollback,
  generations,
  uninstall,
  status,
  logs,
  run,
  why,
  profile,
  audit,
  approve,
  deny,
  prove,
  secret,
  service,
  doctor,
  pin,
  schema,
];
