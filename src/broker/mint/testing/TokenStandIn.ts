import assert from "node:assert/strict";
import { createPublicKey, generateKeyPairSync, randomBytes } from "node:crypto";
import type { IncomingMessage, ServerResponse } from "node:http";
import { importSPKI, jwtVerify } from "jose";

/** A key of the kind that Google and GitHub give, made once: it takes a while. */
export const TEST_KEY = generateKeyPairSync("rsa", {
  modulusLength: 2048,
  publicKeyEncoding: { type: "spki", format: "pem" },
  privateKeyEncoding: { type: "pkcs8", format: "pem" },
});

export function serviceAccount(more: Record<string, unknown> = {}): string {
  return JSON.stringify(
    {
      type: "service_account",
      project_id: "bots",
      private_key_id: "kid-1",
      private_key: TEST_KEY.privateKey,
      client_email: "bot@bots.iam.gserviceaccount.test",
      token_uri: "https://oauth2.googleapis.com/token",
      ...more,
    },
    null,
    2,
  );
}

interface Issued {
  readonly scope: string;
  readonly subject: string;
  revoked: boolean;
}

/** What a question is answered with instead, once. */
export type Answer = (response: ServerResponse) => void;

/**
 * A provider: token endpoints of three kinds, which check what they are sent as the real ones do, and a
 * service that takes only tokens that were issued here.
 */
export class TokenStandIn {
  readonly issued = new Map<string, Issued>();
  readonly asked: { readonly path: string; readonly form: URLSearchParams }[] = [];
  /** Answers for the next questions, before it answers by itself. */
  readonly next: Answer[] = [];
  expiresIn: unknown = 3600;
  refreshToken: string;
  clientSecret: string;
  /** Gives another refresh token each time, and takes the last one only. */
  rotates = false;
  /** Waits for this before it answers. */
  gate: Promise<void> = Promise.resolve();
  readonly calls: { readonly method: string; readonly token: string; readonly body: string }[] = [];

  constructor(secrets: { readonly refreshToken: string; readonly clientSecret: string }) {
    this.refreshToken = secrets.refreshToken;
    this.clientSecret = secrets.clientSecret;
  }

  /** Revokes all that is out. */
  revoke(): void {
    for (const each of this.issued.values()) each.revoked = true;
  }

  handleToken(request: IncomingMessage, response: ServerResponse): void {
    void this.#answer(request, response);
  }

  async #answer(request: IncomingMessage, response: ServerResponse): Promise<void> {
    const body = await readAll(request);
    const path = request.url ?? "";
    const form = new URLSearchParams(body);
    this.asked.push({ path, form });
    await this.gate;
    const instead = this.next.shift();
    if (instead !== undefined) {
      instead(response);
      return;
    }
    try {
      assert.equal(request.method, "POST");
      const reply = path.startsWith("/app/")
        ? await this.#github(request, body)
        : form.get("grant_type") === "urn:ietf:params:oauth:grant-type:jwt-bearer"
          ? await this.#google(form)
          : this.#oauth2(request, form);
      response.writeHead(path.startsWith("/app/") ? 201 : 200, {
        "content-type": "application/json",
      });
      response.end(JSON.stringify(reply));
    } catch (error) {
      const code = error instanceof Refusal ? error.message : "invalid_request";
      response.writeHead(400, { "content-type": "application/json" });
      response.end(JSON.stringify({ error: code, error_description: String(error) }));
    }
  }

  #oauth2(request: IncomingMessage, form: URLSearchParams): object {
    const basic = /^Basic (.+)$/.exec(request.headers.authorization ?? "")?.[1];
    const [id, secret] =
      basic === undefined
        ? [form.get("client_id"), form.get("client_secret")]
        : Buffer.from(basic, "base64")
            .toString()
            .split(":")
            .map((half) => new URLSearchParams(`_=${half}`).get("_"));
    if (id !== "client:1" || secret !== this.clientSecret) throw new Refusal("invalid_client");
    const grant = form.get("grant_type");
    if (grant === "refresh_token" && form.get("refresh_token") !== this.refreshToken)
      throw new Refusal("invalid_grant");
    if (grant !== "refresh_token" && grant !== "client_credentials")
      throw new Refusal("unsupported_grant_type");
    const rotated = this.rotates ? { refresh_token: `rt-${randomBytes(24).toString("hex")}` } : {};
    if (rotated.refresh_token !== undefined) this.refreshToken = rotated.refresh_token;
    return this.#token(form.get("scope") ?? "", "", rotated);
  }

  async #google(form: URLSearchParams): Promise<object> {
    const { payload } = await jwtVerify(form.get("assertion") ?? "", await publicKey(), {
      audience: "https://oauth2.googleapis.com/token",
      issuer: "bot@bots.iam.gserviceaccount.test",
      algorithms: ["RS256"],
      maxTokenAge: "1 hour",
    });
    assert.ok((payload.exp ?? 0) - (payload.iat ?? 0) <= 3600);
    return this.#token(String(payload["scope"]), payload.sub ?? "");
  }

  async #github(request: IncomingMessage, body: string): Promise<object> {
    const jwt = /^Bearer (.+)$/.exec(request.headers.authorization ?? "")?.[1] ?? "";
    const { payload } = await jwtVerify(jwt, await publicKey(), {
      issuer: "12345",
      algorithms: ["RS256"],
    });
    assert.ok((payload.exp ?? 0) - (payload.iat ?? 0) <= 600);
    assert.ok((payload.iat ?? 0) <= Date.now() / 1000);
    assert.equal(request.url, "/app/installations/678/access_tokens");
    assert.ok(request.headers["user-agent"] !== undefined);
    const token = this.#issue(body, "");
    return { token, expires_at: new Date(Date.now() + 3_600_000).toISOString() };
  }

  #token(scope: string, subject: string, more: object = {}): object {
    return {
      access_token: this.#issue(scope, subject),
      token_type: "Bearer",
      ...(this.expiresIn === undefined ? {} : { expires_in: this.expiresIn }),
      ...more,
    };
  }

  #issue(scope: string, subject: string): string {
    const token = `ya29.${randomBytes(30).toString("base64url")}`;
    this.issued.set(token, { scope, subject, revoked: false });
    return token;
  }

  /** Tells what a good token may do; `/echo` repeats the whole request, and more. */
  handleCall(request: IncomingMessage, response: ServerResponse): void {
    void readAll(request).then((body) => {
      const token = /^Bearer (.+)$/.exec(request.headers.authorization ?? "")?.[1] ?? "";
      this.calls.push({ method: request.method ?? "", token, body });
      const issued = this.issued.get(token);
      if (issued === undefined || issued.revoked || request.url === "/v1/always-401") {
        response.writeHead(401).end("no such token");
        return;
      }
      if (request.url === "/v1/echo") {
        response.end(
          JSON.stringify({
            token,
            before: [...this.issued.keys()],
            refresh: this.refreshToken,
            client: this.clientSecret,
          }),
        );
        return;
      }
      const { scope, subject } = issued;
      response.end(JSON.stringify({ scope, subject, body }));
    });
  }
}

class Refusal extends Error {}

async function publicKey(): ReturnType<typeof importSPKI> {
  return importSPKI(
    createPublicKey(TEST_KEY.publicKey).export({ type: "spki", format: "pem" }) as string,
    "RS256",
  );
}

async function readAll(request: IncomingMessage): Promise<string> {
  const chunks: Buffer[] = [];
  for await (const chunk of request) chunks.push(chunk as Buffer);
  return Buffer.concat(chunks).toString();
}
