import { z } from "zod";
import { rule, ruleOrOwn } from "./ruleSchema.ts";
import { awsName, bytes, name, origin, port, secretName } from "./words.ts";

const count = (max: number) => z.int().min(1).max(max);

/** Bounds; a day is a calendar day in UTC. */
export const limits = z
  .strictObject({
    callsPerMinute: count(1_000_000).optional(),
    concurrentCalls: count(10_000).optional(),
    bytesPerDay: bytes.optional().describe('Body bytes both ways, as "1G"; for tunnels all bytes.'),
    tokensPerDay: count(1e12).optional().describe("Tokens in and out, as replies report them."),
    dollarsPerDay: z.number().min(0.01).max(1e6).optional().describe("By Seawall's price table."),
  })
  .describe("How much may be done. More is refused until there is room again.");

/** What the bot itself may use up on this machine, beside its calls. */
export const botLimits = limits
  .extend({
    memory: bytes.optional().describe('All its processes together, as "2G", which OpenClaw needs.'),
    processes: count(4_000_000).optional().describe("Processes and threads together."),
    openFiles: z.int().min(64).max(1_000_000).optional().describe("Of each process."),
    fileSize: bytes.optional().describe('What one file may grow to, as "1G".'),
    cpu: z.number().min(0.01).max(4096).optional().describe("Processors' worth of time, as 1.5."),
  })
  .describe("How much the bot may do, and use up of this machine.");

export const dial = z
  .strictObject({
    host: z.string().min(1).max(253).optional().describe("Address or name to connect to instead."),
    port: port.optional(),
    ca: z
      .string()
      .min(1)
      .optional()
      .describe("PEM file with the CAs to trust, relative to this file."),
    proxy: z
      .string()
      .regex(
        /^(?:http|socks5):\/\/(?:\[[0-9a-f:.]+\]|[A-Za-z0-9.-]+):\d{1,5}$/,
        'a proxy, as "http://proxy.example.com:3128" or "socks5://10.0.0.1:1080"',
      )
      .optional()
      .describe("The way out: an HTTP proxy (CONNECT) or SOCKS5."),
    networks: z
      .array(z.string().max(64))
      .min(1)
      .max(32)
      .optional()
      .describe('Networks the name may resolve to though they aren\'t public, as "10.0.0.0/8".'),
    clientCertificate: secretName
      .optional()
      .describe("Secret with a client certificate and its key, PEM."),
  })
  .describe("Where and how to connect, if not to the service's public address.");

const content = z
  .strictObject({
    maxBytes: bytes.optional().describe("Longest message."),
    links: z
      .array(
        z
          .string()
          .regex(/^(?:\*\.)?(?:[a-z0-9-]{1,63}\.)+[a-z0-9-]{1,63}$/, 'a host, as "*.example.com"'),
      )
      .max(256)
      .optional()
      .describe("Hosts that links may lead to; any if absent."),
    otherLinks: z
      .enum(["refuse", "ask"])
      .optional()
      .describe("What becomes of a message with another link: refused, unless this says ask."),
    previews: z
      .enum(["off", "unchanged"])
      .optional()
      .describe(
        "Link previews are switched off where the service can, unless this says unchanged.",
      ),
  })
  .describe("What messages may hold, looked at before they leave.");

const aws = z
  .strictObject({
    region: awsName.describe('Region that calls are for, as "eu-central-1".'),
    service: awsName.optional().describe('Service that calls are for, as "sqs", for "aws" alone.'),
    buckets: z
      .array(z.string().regex(/^[a-z0-9][a-z0-9-]{1,61}[a-z0-9]$/, "a bucket's name, without dots"))
      .min(1)
      .max(64)
      .optional()
      .describe("Buckets that are reached at hosts of their own, as most clients do."),
  })
  .describe("For services of AWS: what calls may be signed for.");

const rules = (what: string) => z.array(rule).max(256).optional().describe(what);

export const grant = z.strictObject({
  secret: secretName.optional().describe("Name of the secret, as declared under secrets."),
  url: origin.optional().describe("Where a service is that everybody runs for themselves."),
  server: z
    .string()
    .regex(/^[A-Za-z0-9.:[\]-]{1,260}$/, 'a name and a port, as "imap.example.com:993"')
    .optional()
    .describe("Where a service is that isn't reached by HTTP (imap, smtp, postgres)."),
  tunnel: port.optional().describe("Pass connections to this port through unopened; no secret."),
  tcp: z
    .union([port, z.array(port).min(1).max(16)])
    .optional()
    .describe(
      "Pass all bytes to this port, or these, through as they are; no TLS needed, no secret.",
    ),
  allow: z
    .array(ruleOrOwn)
    .max(256)
    .optional()
    .describe('Calls that may be made instead of the service\'s own list, which "..." stands for.'),
  ask: rules("Calls that you are asked about each time (seawall approve)."),
  deny: rules("Calls that are never made, whatever allows them."),
  limits: limits.optional(),
  content: content.optional(),
  dial: dial.optional(),
  aws: aws.optional(),
  allowFrom: z
    .array(z.union([z.int(), z.string().regex(/^[A-Za-z0-9@._:=/+-]{1,255}$/, "a user's id")]))
    .max(256)
    .optional()
    .describe("For channels: the senders the bot listens to."),
  to: z.array(name).max(64).optional().describe("For bridge: the bots it may write to."),
  from: z
    .array(name)
    .max(64)
    .optional()
    .describe(
      "For bridge: the bots whose messages it takes; those that may write to it, if absent.",
    ),
  allowHosts: z
    .array(
      z
        .string()
        .regex(
          /^(?:\*|(?:\*\.)?(?:[a-z0-9_-]{1,63}\.)*[a-z0-9_-]{1,63}|\[[0-9a-f:.]{2,45}\])(?::[1-9]\d{0,4})?$/,
          'a host, as "example.org", "*.example.org", "*", or "wiki.lan:8080"',
        ),
    )
    .max(256)
    .optional()
    .describe("For browser-fetch: the hosts that pages and all they load may come from."),
  seconds: z.int().min(2).max(300).optional().describe("For browser-fetch: for loading a page."),
  pageBytes: bytes
    .optional()
    .describe('For browser-fetch: what one page may load, with all on it, as "25M".'),
});

export type DeclaredDial = z.output<typeof dial>;
export type DeclaredGrant = z.output<typeof grant>;
export type DeclaredLimits = z.output<typeof limits>;
