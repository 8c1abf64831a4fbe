import { z } from "zod";

const NAME = /^[a-z](?:[a-z0-9-]{0,30}[a-z0-9])?$/;
const NAME_RULE = "lower-case letters, digits and hyphens, at most 32, starting with a letter";
const HOST =
  /^(?=.{1,253}$)(?:[a-z0-9](?:[a-z0-9-]{0,61}[a-z0-9])?\.)*[a-z0-9](?:[a-z0-9-]{0,61}[a-z0-9])?$/;

const name = z.string().regex(NAME, NAME_RULE);
const secretName = z
  .string()
  .regex(/^[a-z0-9][a-z0-9._-]{0,62}$/, "lower-case letters, digits, '.', '_' and '-', at most 63");
const port = z.int().min(1).max(65535);
const variable = z.string().regex(/^[A-Z][A-Z0-9_]{0,63}$/, "upper-case letters, digits and '_'");
const rule = z
  .string()
  .regex(
    /^(?:\*|[A-Z]{3,16}) \/[A-Za-z0-9._~!$&'()*+,=:@{}/-]*$/,
    'a method and a path, as "GET /api/v3/**"',
  );
const origin = z
  .string()
  .regex(/^https?:\/\/[^/?#@\s]+$/, 'scheme and host, as "https://api.example.com"');

const credential = z.strictObject({
  /** Header that carries the credential. */
  header: z
    .string()
    .regex(/^[A-Za-z0-9!#$%&'*+.^_`|~-]{1,64}$/, "a header name")
    .optional()
    .describe("Header that carries the credential."),
  prefix: z
    .string()
    .regex(/^[\x21-\x7e][\x20-\x7e]{0,31}$/, "printable ASCII")
    .optional()
    .describe('What stands before the credential in the header, as "Bearer ".'),
  path: z
    .string()
    .regex(/^\/[A-Za-z0-9._~/-]*\{secret\}$/, 'a path that ends in {secret}, as "/bot{secret}"')
    .optional()
    .describe('Beginning of the path, with {secret} for the credential, as "/bot{secret}".'),
});

export const serviceSchema = z.strictObject({
  hosts: z.array(origin).min(1).max(32).describe("Origins the service is reached at."),
  credential: z.array(credential).min(1).max(8).describe("Where a call carries the credential."),
  phantom: z
    .string()
    .min(1)
    .max(512)
    .default("phantom-{base64url:40}")
    .describe(
      "Shape of the worthless token the bot gets: text with {digits:N}, {hex:N}, {alphanumeric:N} or {base64url:N}.",
    ),
  variable: variable
    .optional()
    .describe("Environment variable in which the bot finds the phantom."),
  allow: z.array(rule).max(256).describe('Calls that may be made, as "GET /api/v3/**".'),
  anonymous: z
    .array(rule)
    .max(64)
    .default([])
    .describe("Calls that may be made without credential."),
});

const dial = z
  .strictObject({
    host: z.string().min(1).max(253).optional().describe("Address or name to connect to instead."),
    port: port.optional(),
    ca: z
      .string()
      .min(1)
      .optional()
      .describe("PEM file with the CAs to trust, relative to this file."),
  })
  .describe("Where to connect, if not to the service's public address.");

const grant = z.strictObject({
  secret: secretName.optional().describe("Name of the secret, as declared under secrets."),
  url: origin
    .optional()
    .describe(
      'For services that everybody runs at a host of their own: "https://chat.example.com".',
    ),
  tunnel: port.optional().describe("Pass connections to this port through unopened; no secret."),
  allow: z
    .array(rule)
    .max(256)
    .optional()
    .describe("Calls that may be made; the service's own list if absent."),
  dial: dial.optional(),
  allowFrom: z
    .array(z.union([z.int(), z.string().regex(/^[A-Za-z0-9@._:-]{1,64}$/, "a user's id")]))
    .max(256)
    .optional()
    .describe("For channels: the senders the bot listens to."),
});

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
  plugins: z
    .array(z.string().regex(/^@openclaw\/[a-z0-9-]{1,60}$/, 'a plugin, as "@openclaw/mattermost"'))
    .max(32)
    .default([])
    .describe("Channel plugins that OpenClaw doesn't bundle."),
  concessions: z
    .array(z.enum(["no-landlock"]))
    .max(1)
    .default([])
    .describe("What this bot's wall may go without; status goes on showing it."),
  settings: z
    .record(z.string(), z.json())
    .default({})
    .describe("Further OpenClaw settings; they can't loosen what the wall depends on."),
});

/** The schema of `seawall.json5`. Unknown keys are faults everywhere but under `settings`. */
export const declarationSchema = z.strictObject({
  $schema: z.string().optional().describe("For editors."),
  seawall: z.literal(1).describe("Version of this format."),
  secrets: z
    .record(
      secretName,
      z.strictObject({ vault: secretName.describe("Name in the embedded vault.") }),
    )
    .default({})
    .describe("Names of secrets and where each value is kept. Never a value."),
  services: z
    .record(name, serviceSchema)
    .default({})
    .describe("Services that the catalogue doesn't have."),
  bots: z.record(name, bot).describe("The bots."),
});

export type Declaration = z.output<typeof declarationSchema>;
export type DeclaredBot = z.output<typeof bot>;
export type DeclaredGrant = z.output<typeof grant>;
export type DeclaredService = z.output<typeof serviceSchema>;
export type DeclaredCredential = z.output<typeof credential>;

/** Whether `text` is a host name in lower case without trailing dot (RFC 1123 section 2.1). */
export function isHostName(text: string): boolean {
  return HOST.test(text);
}
