import { z } from "zod";
import { dial } from "./grantSchema.ts";
import { secretName } from "./words.ts";

/** RFC 6749 section 3.3: a scope has no blanks, quotes or backslashes. */
const scopes = z
  .array(z.string().regex(/^[\x21\x23-\x5b\x5d-\x7e]{1,256}$/, "a scope, without blanks"))
  .max(64);

const url = z
  .string()
  .max(1024)
  .regex(
    /^https:\/\/[^/?#@\s]+(?:\/[A-Za-z0-9._~!$&'()*+,;=:@%/-]*)?$/,
    'an https address, as "https://login.example.com/oauth2/token"',
  );

const stored = (what: string) => secretName.describe(`Name of the secret that is ${what}.`);

const oauth2 = z.strictObject({
  tokenUrl: url.describe("Token endpoint."),
  clientId: z
    .string()
    .regex(/^[\x20-\x7e]{1,256}$/, "printable ASCII")
    .describe("The client's id, which is no secret."),
  clientSecret: stored("the client's").optional(),
  clientAuthentication: z
    .enum(["body", "basic"])
    .optional()
    .describe("How the client's secret is sent: in the body, or as HTTP Basic; body if absent."),
  refreshToken: stored("the refresh token")
    .optional()
    .describe("Secret with the refresh token; without it the client's own credentials are used."),
  scopes: scopes.optional().describe("What tokens may be used for; [] leaves it to the provider."),
  parameters: z
    .record(
      z.string().regex(/^[a-z][a-z0-9_]{0,63}$/, "a parameter's name"),
      z.string().regex(/^[\x20-\x7e]{1,1024}$/, "printable ASCII"),
    )
    .optional()
    .describe('What the endpoint wants besides, as { audience: "https://api.example.com" }.'),
  dial: dial.optional(),
});

const githubApp = z.strictObject({
  appId: z
    .union([z.int().min(1), z.string().regex(/^[A-Za-z0-9._-]{1,64}$/, "an App's id")])
    .describe("The App's id or client id."),
  installationId: z.int().min(1).describe("The installation that tokens are for."),
  privateKey: stored("the App's private key, PEM"),
  repositories: z
    .array(z.string().regex(/^[A-Za-z0-9._-]{1,100}$/, "a repository's name, without its owner"))
    .min(1)
    .max(500)
    .optional()
    .describe("The installation's repositories that tokens are for; all of them if absent."),
  permissions: z
    .record(
      z.string().regex(/^[a-z][a-z_]{0,63}$/, 'a permission, as "contents"'),
      z.enum(["read", "write", "admin"]),
    )
    .optional()
    .describe("What tokens may do there; all that the App may if absent."),
  apiUrl: url.optional().describe("API of a GitHub Enterprise Server; api.github.com if absent."),
  dial: dial.optional(),
});

/** The keys of secrets that no store holds: the broker has them made, from others that a store does hold. */
export const mintKeys = {
  oauth2: oauth2
    .optional()
    .describe("Made: access tokens by OAuth 2.0 (refresh token or client credentials)."),
  googleServiceAccount: stored(
    "a Google service account's key, JSON; access tokens are made",
  ).optional(),
  githubApp: githubApp.optional().describe("Made: installation tokens of a GitHub App."),
  scopes: scopes
    .min(1)
    .optional()
    .describe("For googleServiceAccount: what tokens may be used for."),
  subject: z
    .string()
    .regex(/^[^\s@"\\]{1,128}@[a-z0-9.-]{1,253}$/, "a user's address")
    .optional()
    .describe("For googleServiceAccount: the user in whose name (domain-wide delegation)."),
  dial: dial.optional(),
} as const;

export type DeclaredOauth2 = z.output<typeof oauth2>;
