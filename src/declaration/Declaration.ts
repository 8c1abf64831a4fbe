import { z } from "zod";
import { agents } from "./agentsSchema.ts";
import { botLimits, grant } from "./grantSchema.ts";
import { secretSchema } from "./secretSchema.ts";
import { serviceSchema } from "./serviceSchema.ts";
import { bytes, name, port, publicName, secretName } from "./words.ts";

const bot = z.strictObject({
  openclaw: z
    .string()
    .regex(/^\d{4}\.\d{1,2}\.\d{1,3}(?:-[a-z]+\.\d+)?$/, 'a version, as "2026.9.6"')
    .describe("Pinned version of OpenClaw."),
  model: z
    .string()
    .regex(/^[a-z0-9-]{1,40}\/[A-Za-z0-9._:/-]{1,120}$/, '"provider/model"')
    .describe("Model the agent thinks with, as provider/model."),
  grants: z.record(z.string(), grant).describe("What the bot may reach, by service or host name."),
  tools: z
    .strictObject({
      allow: z.array(z.string().regex(/^[a-z][a-z0-9_:-]{0,63}$/, "a tool's name")).max(128),
    })
    .optional()
    .describe("OpenClaw tools the agent may call."),
  exec: z
    .strictObject({
      allow: z
        .array(z.string().regex(/^[A-Za-z0-9][A-Za-z0-9._+-]{0,63}$/, "a command's name"))
        .max(256),
    })
    .optional()
    .describe("Commands that exist inside the wall."),
  port: port.min(1024).default(18789).describe("Port of the gateway on this host's 127.0.0.1."),
  controlPage: z.boolean().default(false).describe("Serve OpenClaw's control page there."),
  expose: z
    .strictObject({
      domain: publicName
        .optional()
        .describe("Host name at which it is reached from outside, over HTTPS."),
      tailscale: z
        .literal(true)
        .optional()
        .describe("Reached from the tailnet instead, by the machine's own Tailscale."),
    })
    .optional()
    .describe("The way in from outside of this machine, under systemd; none if absent."),
  plugins: z
    .array(z.string().regex(/^@openclaw\/[a-z0-9-]{1,60}$/, 'a plugin, as "@openclaw/mattermost"'))
    .max(32)
    .default([])
    .describe("Channel plugins that OpenClaw doesn't bundle."),
  proxy: port
    .optional()
    .describe("Port inside the wall at which the broker also is an HTTP proxy."),
  unknownHosts: z
    .literal("ask")
    .optional()
    .describe("Ask you about hosts that no grant has (seawall approve); refused if absent."),
  limits: botLimits.optional(),
  concessions: z
    .array(z.enum(["no-landlock", "no-user-namespaces"]))
    .max(2)
    .default([])
    .describe("What this bot's wall may go without; status goes on showing it."),
  agents: agents
    .optional()
    .describe("How seawall agent makes agents of this bot; it has none besides its own if absent."),
  settings: z
    .record(z.string(), z.json())
    .default({})
    .describe("Further OpenClaw settings; they can't loosen what the wall depends on."),
});

const chat = z
  .strictObject({
    bot: name.describe("Bot whose grant the message is sent by."),
    grant: name.describe("Its grant of a chat service."),
    to: z
      .union([z.int(), z.string().min(1).max(128)])
      .describe("Chat that the message goes to, by the service's own name for it."),
  })
  .describe("A message in a chat, sent by the broker with the secret that a bot's grant names.");

const notify = z.union([
  z.literal("desktop"),
  z.strictObject({
    command: z
      .array(z.string().min(1).max(1024))
      .min(1)
      .max(32)
      .describe("Program and arguments; it gets the question as JSON on standard input."),
  }),
  z.strictObject({ chat }),
]);

const approvals = z
  .strictObject({
    notify: z
      .union([notify, z.array(notify).min(1).max(4)])
      .optional()
      .describe("How you are told that a call waits for your word."),
    waitMinutes: z.int().min(1).max(60).optional().describe("How long it waits; 5 if absent."),
  })
  .describe("Calls that wait for your word.");

const audit = z
  .strictObject({
    rotateBytes: bytes.optional().describe('Size at which the record is put aside, as "64M".'),
  })
  .describe("The record of all calls.");

const telemetry = z
  .strictObject({
    metricsPort: port.min(1024).optional().describe("Port of 127.0.0.1 for OpenMetrics text."),
    traces: z
      .string()
      .regex(/^https?:\/\/[^/?#@\s]+(?:\/[A-Za-z0-9._~/-]*)?$/, "an OTLP collector's URL")
      .optional()
      .describe("OTLP/HTTP collector that gets traces, as http://127.0.0.1:4318/v1/traces."),
  })
  .describe("Numbers for your monitoring; off if absent.");

const autoUpdate = z
  .strictObject({
    calendar: z
      .string()
      .regex(/^[A-Za-z0-9 *:.,/~_-]{1,80}$/, 'when, as systemd.time(7) has it: "Sun 04:30"')
      .describe('When, as systemd.time(7) has it: "weekly", "Sun 04:30".'),
    from: z
      .enum(["pins", "registry"])
      .default("pins")
      .describe(
        "pins: versions that came with Seawall or that you pinned; registry: npm's newest.",
      ),
    days: z
      .int()
      .min(0)
      .max(90)
      .default(7)
      .describe("How long a version must have been in the registry."),
  })
  .describe("Moves bots to a newer OpenClaw by itself, under systemd; never if absent.");

/** The schema of `seawall.json5`. Unknown keys are faults everywhere but under `settings`. */
export const declarationSchema = z.strictObject({
  $schema: z.string().optional().describe("For editors."),
  seawall: z.literal(1).describe("Version of this format."),
  secrets: z
    .record(secretName, secretSchema)
    .default({})
    .describe("Names of secrets and where each value is kept or how it is made. Never a value."),
  services: z
    .record(name, serviceSchema)
    .default({})
    .describe("Services that the catalogue doesn't have."),
  bots: z.record(name, bot).describe("The bots."),
  approvals: approvals.optional(),
  audit: audit.optional(),
  telemetry: telemetry.optional(),
  autoUpdate: autoUpdate.optional(),
});

export type Declaration = z.output<typeof declarationSchema>;
export type DeclaredBot = z.output<typeof bot>;
export type DeclaredAgents = z.output<typeof agents>;
export type DeclaredChat = z.output<typeof chat>;
