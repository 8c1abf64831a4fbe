import { z } from "zod";
import { rule } from "./ruleSchema.ts";
import { awsName, call, hostName, pointer, origin, variable } from "./words.ts";

const prefix = z.string().regex(/^[\x21-\x7e][\x20-\x7e]{0,31}$/, "printable ASCII");
const token = z
  .string()
  .regex(/^[A-Za-z0-9!#$%&'*+.^_`|~-]{1,64}$/, "a name of letters and digits");
const field = z.string().regex(/^[\x21-\x7e]{1,64}$/, "a field's name");

/** For people and for agents, in whose help it stands. */
const line = z
  .string()
  .regex(/^[\x20-\x5f\x61-\x7e\u00a0-\uffff]{1,200}$/, "one line of text, at most 200 characters");

/** Exactly one of the places; the plan checks that. */
const credential = z.strictObject({
  header: token.optional().describe("Header that carries the credential."),
  prefix: prefix.optional().describe('What stands before the credential, as "Bearer ".'),
  path: z
    .string()
    .regex(/^\/[A-Za-z0-9._~/-]*\{secret\}$/, 'a path that ends in {secret}, as "/bot{secret}"')
    .optional()
    .describe('Beginning of the path, with {secret} for the credential, as "/bot{secret}".'),
  basic: z
    .enum(["user", "password"])
    .optional()
    .describe("Half of HTTP's Basic authentication that is the credential."),
  cookie: token.optional().describe("Cookie that carries the credential."),
  query: field.optional().describe("Name in the query of the target."),
  form: field.optional().describe("Field of a form-urlencoded body."),
  multipart: field.optional().describe("Part of a multipart/form-data body."),
  json: pointer.optional().describe("JSON pointer into the body."),
  sigv4: awsName
    .optional()
    .describe('Service of AWS that calls are signed for (Signature Version 4), as "sqs".'),
  websocket: pointer.optional().describe("JSON pointer into a text frame that the bot sends."),
  where: z
    .record(pointer, z.union([z.string().max(256), z.number()]))
    .optional()
    .describe('What that frame also says, as { "/op": 2 }.'),
});

const message = z.strictObject({
  call: call.describe('The call that sends it, as "POST /api/messages".'),
  texts: z.array(pointer).min(1).max(32).describe("Where its texts and links stand."),
  previewOff: z
    .record(pointer, z.json())
    .optional()
    .describe("What switches link previews off, by JSON pointer."),
});

export const serviceSchema = z.strictObject({
  about: line.optional().describe("What it is, for people, and for agents that have its command."),
  hosts: z
    .array(origin)
    .min(1)
    .max(32)
    .describe("Origins the service is reached at; {region} stands for the grant's, for AWS."),
  credential: z.array(credential).min(1).max(16).describe("Where a call carries the credential."),
  phantom: z
    .string()
    .min(1)
    .max(512)
    .default("phantom-{base64url:40}")
    .describe(
      "Shape of the worthless token the bot gets: text with {digits:N}, {hex:N}, {base32:N}, {alphanumeric:N} or {base64url:N}.",
    ),
  variable: variable
    .optional()
    .describe("Environment variable in which the bot finds the phantom."),
  allow: z.array(rule).max(256).describe('Calls that may be made, as "GET /api/v3/**".'),
  deny: z
    .array(rule)
    .max(64)
    .default([])
    .describe("Calls that are never made, whatever allows them."),
  anonymous: z
    .array(rule)
    .max(64)
    .default([])
    .describe("Calls that may be made without credential."),
  challenge: z
    .string()
    .regex(
      /^[A-Za-z0-9-]{1,32}(?: [\x20-\x7e]{1,200})?$/,
      "a scheme and its parameters, as 'Basic realm=\"git\"'",
    )
    .optional()
    .describe("WWW-Authenticate of the 401 that a call without credential gets."),
  usage: z
    .enum(["anthropic", "openai", "gemini"])
    .optional()
    .describe("Whose form the numbers of tokens in its replies have."),
  messages: z
    .array(message)
    .max(64)
    .default([])
    .describe("Calls that carry messages to people, to be checked by a grant's content."),
  git: hostName.optional().describe("The one of its hosts that git reaches over HTTPS."),
  headers: z
    .record(
      token,
      z.strictObject({
        about: line.optional().describe("What it is for, for agents."),
        usual: z
          .string()
          .regex(/^[\x21-\x7e](?:[\x20-\x7e]{0,1022}[\x21-\x7e])?$/, "printable ASCII")
          .optional()
          .describe("What is sent where an agent gives none."),
      }),
    )
    .optional()
    .describe('Headers that an agent may give to its command, as { "X-Api-Version": {} }.'),
});

export type DeclaredService = z.output<typeof serviceSchema>;
export type DeclaredCredential = z.output<typeof credential>;
export type DeclaredMessage = z.output<typeof message>;
