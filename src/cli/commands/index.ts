import type { Command } from "../Command.ts";

/**
 * Every command, in the order of the help; loaded when it is called, since each has rooms of its own
 * behind it. A new one is a new file and a line, and its key is its name.
 */
export const commands: Readonly<Record<string, () => Promise<Command>>> = {
  init: async () => (await import("./init.ts")).init,
  demo: async () => (await import("./demo.ts")).demo,
  check: async () => (await import("./check.ts")).check,
  plan: async () => (await import("./plan.ts")).plan,
  up: async () => (await import("./up.ts")).up,
  down: async () => (await import("./down.ts")).down,
  restart: async () => (await import("./restart.ts")).restart,
  build: async () => (await import("./build.ts")).build,
  switch: async () => (await import("./switch.ts")).switchCommand,
  rollback: async () => (await import("./rollback.ts")).rollback,
  generations: async () => (await import("./generations.ts")).generations,
  update: async () => (await import("./update.ts")).update,
  uninstall: async () => (await import("./uninstall.ts")).uninstall,
  status: async () => (await import("./status.ts")).status,
  logs: async () => (await import("./logs.ts")).logs,
  run: async () => (await import("./run.ts")).run,
  why: async () => (await import("./why.ts")).why,
  profile: async () => (await import("./profile.ts")).profile,
  audit: async () => (await import("./audit.ts")).audit,
  approve: async () => (await import("./approve.ts")).approve,
  deny: async () => (await import("./approve.ts")).deny,
  prove: async () => (await import("./prove.ts")).prove,
  agent: async () => (await import("./agent.ts")).agent,
  secret: async () => (await import("./secret.ts")).secret,
  service: async () => (await import("./service.ts")).service,
  doctor: async () => (await import("./doctor.ts")).doctor,
  pin: async () => (await import("./pin.ts")).pin,
  schema: async () => (await import("./schema.ts")).schema,
};
