import assert from "node:assert/strict";
import { execFile, spawnSync } from "node:child_process";
import { createHash } from "node:crypto";
import { writeFileSync } from "node:fs";
import type { IncomingMessage, ServerResponse } from "node:http";
import { join } from "node:path";
import { after, before, describe, test } from "node:test";
import { promisify } from "node:util";
import { gzipSync } from "node:zlib";
import type { BrokerDial } from "../BrokerConfig.ts";
import type { InjectBrokerGrant } from "../Deployment.ts";
import { modelGrant } from "../testing/grants.ts";
import { canary, TestBroker, type Reply } from "../testing/TestBroker.ts";
import { signLikeAws, type Keys } from "./testing/signLikeAws.ts";

const REGION = "eu-central-1";
const REAL = {
  accessKeyId: "AKIAREALREALREALREAL",
  secretAccessKey: canary("re/al+").slice(0, 40),
};
const PHANTOM = {
  accessKeyId: "AKIAPHANTOM234567ABC",
  secretAccessKey: canary("phantom-").slice(0, 40),
};

interface Seen {
  readonly method: string;
  readonly url: string;
  readonly headers: IncomingMessage["headers"];
  readonly body: Buffer;
}

/**
 * AWS, as far as it looks at signatures: it makes the signature again by AWS's own library, from what came, with
 * the real key, and compares.
 */
class AwsStandIn {
  readonly seen: Seen[] = [];
  keys: Keys = REAL;
  /** What comes back to a good call; by default that it was good. */
  reply: (response: ServerResponse) => void = (response) => response.end("good");

  async handle(request: IncomingMessage, response: ServerResponse): Promise<void> {
    const chunks: Buffer[] = [];
    for await (const chunk of request) chunks.push(chunk as Buffer);
    const body = Buffer.concat(chunks);
    const { method = "", url = "", headers } = request;
    this.seen.push({ method, url, headers, body });
    const wrong = await this.#check(this.seen.at(-1) as Seen);
    if (wrong === undefined) this.reply(response);
    else response.writeHead(403).end(`<Error><Code>${wrong}</Code></Error>`);
  }

  async #check({ method, url, headers, body }: Seen): Promise<string | undefined> {
    const [, service = "", names = ""] =
      /^AWS4-HMAC-SHA256 Credential=[^/]+\/\d+\/[^/]+\/([^/]+)\/aws4_request, SignedHeaders=([^,]+), Signature=/.exec(
        headers.authorization ?? "",
      ) ?? [];
    const kept = names.split(";").filter((name) => !["host", "x-amz-date"].includes(name));
    const at = new URL(url, "https://h");
    const query: Record<string, string[]> = {};
    for (const [name, value] of at.searchParams) (query[name] ??= []).push(value);
    const date = String(headers["x-amz-date"]);
    const again = await signLikeAws(
      {
        method,
        hostname: headers.host ?? "",
        path: at.pathname,
        query,
        headers: Object.fromEntries(
          kept
            .filter((name) => name !== "x-amz-security-token")
            .map((name) => [name, String(headers[name])]),
        ),
        body,
      },
      this.keys,
      {
        region: REGION,
        service,
        at: new Date(date.replace(/^(....)(..)(..)T(..)(..)(..)Z$/, "$1-$2-$3T$4:$5:$6Z")),
      },
    );
    if (again["authorization"] !== headers.authorization) return "SignatureDoesNotMatch";
    const claimed = headers["x-amz-content-sha256"];
    const hash = createHash("sha256").update(body).digest("hex");
    if (typeof claimed === "string" && /^[0-9a-f]{64}$/.test(claimed) && claimed !== hash)
      return "XAmzContentSHA256Mismatch";
    return undefined;
  }
}

describe("calls that are signed for AWS", () => {
  let t: TestBroker;
  const standIn = new AwsStandIn();
  const s3 = { name: `s3.${REGION}.amazonaws.test`, address: "" };
  const bedrock = { name: `bedrock-runtime.${REGION}.amazonaws.test`, address: "" };
  const hosts = { s3, bedrock };
  let ordinary: InjectBrokerGrant;

  before(async () => {
    t = await TestBroker.start();
    t.secrets
      .set(
        "aws",
        JSON.stringify(
          { Version: 1, AccessKeyId: REAL.accessKeyId, SecretAccessKey: REAL.secretAccessKey },
          null,
          2,
        ),
      )
      .set("model", canary("sk-real-"));
    const upstream = await t.upstream(
      [s3.name, bedrock.name, "api.model.test"],
      (request, response) => {
        void standIn.handle(request, response);
      },
    );
    const dial: BrokerDial = { host: "127.0.0.1", port: upstream.port, ca: t.upstreamAuthority.ca };
    for (const host of [s3, bedrock]) host.address = t.nextAddress();
    const grant = (name: keyof typeof hosts): InjectBrokerGrant =>
      modelGrant(
        { port: t.port, address: hosts[name].address, dial },
        {
          name,
          hosts: [
            { name: hosts[name].name, port: t.port, scheme: "https", v4: hosts[name].address },
          ],
          secret: "aws",
          phantom: PHANTOM.accessKeyId,
          phantomSecret: PHANTOM.secretAccessKey,
          places: [{ in: "sigv4", region: REGION, service: name }],
          rules: [
            { method: "*", path: "/reports/**" },
            { method: "POST", path: "/model/*/converse" },
          ],
          anonymous: [],
        },
      );
    ordinary = modelGrant({ port: t.port, address: t.nextAddress(), dial });
    await t.bot("basecamp", [grant("s3"), grant("bedrock"), ordinary]);
    assert.deepEqual(await t.configure(), { type: "configured" });
  });
  after(() => t.end());

  /** Signs as the bot's client would, changes what `alter` says, and sends it. */
  async function call(
    service: keyof typeof hosts,
    request: {
      readonly method?: string;
      readonly path: string;
      readonly query?: Readonly<Record<string, string>>;
      readonly headers?: Readonly<Record<string, string>>;
      readonly body?: string | Buffer;
    },
    more: {
      readonly keys?: Keys;
      readonly region?: string;
      readonly service?: string;
      readonly at?: Date;
      readonly alter?: (sent: {
        path: string;
        method: string;
        headers: Record<string, string>;
        body: string | Buffer | undefined;
      }) => void;
    } = {},
  ): Promise<Reply> {
    const host = hosts[service];
    const { method = "GET", path, query = {}, headers = {}, body } = request;
    const signed = await signLikeAws(
      {
        method,
        hostname: `${host.name}:${t.port}`,
        path,
        query,
        headers,
        ...(body === undefined ? {} : { body }),
      },
      more.keys ?? PHANTOM,
      {
        region: more.region ?? REGION,
        service: more.service ?? service,
        at: more.at ?? new Date(),
      },
    );
    const text = Object.entries(query)
      .map(([name, value]) => `${encodeURIComponent(name)}=${encodeURIComponent(value)}`)
      .join("&");
    const sent = {
      path: text === "" ? path : `${path}?${text}`,
      method,
      headers: { ...signed },
      body,
    };
    more.alter?.(sent);
    return t.request(host, {
      method: sent.method,
      path: sent.path,
      headers: sent.headers,
      ...(sent.body === undefined ? {} : { body: sent.body }),
    });
  }

  const code = (reply: Reply): string =>
    reply.headers["x-seawall"] === "refused"
      ? (JSON.parse(reply.body) as { error: { code: string } }).error.code
      : `${reply.status} ${reply.body}`;

  const good: readonly (readonly [
    what: string,
    service: keyof typeof hosts,
    request: Parameters<typeof call>[1],
  ])[] = [
    ["a read", "s3", { path: "/reports/2026.csv" }],
    [
      "a list with a query",
      "s3",
      { path: "/reports/", query: { "list-type": "2", prefix: "a b/ü+=", delimiter: "/" } },
    ],
    [
      "a key with blanks, signs and letters of the world",
      "s3",
      { path: "/reports/a%20b/%C3%BC%2B%3D%26%40%28x%29~" },
    ],
    [
      "a write",
      "s3",
      {
        method: "PUT",
        path: "/reports/x",
        body: "the content",
        headers: { "content-type": "text/plain", "x-amz-meta-by": "bot  one" },
      },
    ],
    ["an empty write", "s3", { method: "PUT", path: "/reports/empty" }],
    [
      "a compressed object",
      "s3",
      {
        method: "PUT",
        path: "/reports/x.gz",
        body: gzipSync("content"),
        headers: { "content-encoding": "gzip" },
      },
    ],
    [
      "a body of bytes",
      "s3",
      { method: "PUT", path: "/reports/bytes", body: Buffer.from([0, 255, 10, 13]) },
    ],
    [
      "an unsigned body",
      "s3",
      {
        method: "PUT",
        path: "/reports/u",
        body: "x",
        headers: { "x-amz-content-sha256": "UNSIGNED-PAYLOAD" },
      },
    ],
    [
      "a body with a checksum behind it",
      "s3",
      {
        method: "PUT",
        path: "/reports/t",
        body: "1\r\nx\r\n0\r\nx-amz-checksum-crc32:jNw5sA==\r\n\r\n",
        headers: {
          "content-encoding": "aws-chunked",
          "x-amz-decoded-content-length": "1",
          "x-amz-trailer": "x-amz-checksum-crc32",
          "x-amz-content-sha256": "STREAMING-UNSIGNED-PAYLOAD-TRAILER",
        },
      },
    ],
    [
      "a model, its name encoded twice",
      "bedrock",
      {
        method: "POST",
        path: "/model/anthropic.claude-x-v1%3A0/converse",
        body: '{"messages":[]}',
        headers: { "content-type": "application/json" },
      },
    ],
  ];
  for (const [what, service, request] of good) {
    test(`inject() signs ${what} by the real key, and AWS takes it`, async () => {
      const reply = await call(service, request);
      assert.equal(code(reply), "200 good");
      const seen = standIn.seen.at(-1);
      assert.match(
        seen?.headers.authorization ?? "",
        new RegExp(`Credential=${REAL.accessKeyId}/`),
      );
      assert.deepEqual(seen?.body, Buffer.from(request.body ?? ""));
      const all = JSON.stringify([seen?.url, seen?.headers]);
      for (const value of Object.values(PHANTOM)) assert.ok(!all.includes(value));
    });
  }

  test(
    "curl, a client of its own making, signs what the broker takes",
    {
      // Where CI is set it must be there.
      skip:
        process.env["CI"] === undefined &&
        spawnSync("curl", ["-V"]).error !== undefined &&
        "needs curl",
    },
    async () => {
      const ca = join(t.folder, "ca.pem");
      writeFileSync(ca, t.authority.ca);
      const run = promisify(execFile);
      const curl = async (
        service: keyof typeof hosts,
        path: string,
        ...more: string[]
      ): Promise<string> => {
        const host = hosts[service];
        const { stdout } = await run("curl", [
          "--silent",
          "--show-error",
          "--noproxy",
          "*",
          "--cacert",
          ca,
          "--path-as-is",
          "--globoff",
          "--resolve",
          `${host.name}:${t.port}:${host.address}`,
          "--aws-sigv4",
          `aws:amz:${REGION}:${service}`,
          "--user",
          `${PHANTOM.accessKeyId}:${PHANTOM.secretAccessKey}`,
          ...more,
          `https://${host.name}:${t.port}${path}`,
        ]);
        return stdout;
      };
      assert.equal(await curl("s3", "/reports/x"), "good");
      assert.equal(await curl("s3", "/reports/x", "-X", "PUT", "--data-binary", "content"), "good");
      assert.equal(await curl("bedrock", "/model/x/converse", "--json", '{"messages":[]}'), "good");
      assert.match(await curl("s3", "/private/x"), /not-allowed/);
      assert.match(
        await curl("s3", "/reports/x", "--user", `${PHANTOM.accessKeyId}:wrong`),
        /aws-signature/,
      );
    },
  );

  test("inject() lets slices through, which clients of S3 fetch large objects by", async () => {
    assert.equal(
      code(await call("s3", { path: "/reports/large", headers: { range: "bytes=0-9" } })),
      "200 good",
    );
    assert.equal(standIn.seen.at(-1)?.headers.range, "bytes=0-9");
  });

  test("inject() sends and signs a session's token, which no reply brings back", async () => {
    const session = canary("session+/=");
    const before = t.secrets.get("aws") ?? "";
    t.secrets.set(
      "aws",
      `[default]\naws_access_key_id = ${REAL.accessKeyId}\naws_secret_access_key=${REAL.secretAccessKey}\naws_session_token = ${session}\n`,
    );
    standIn.keys = { ...REAL, sessionToken: session };
    const body = JSON.stringify({
      session,
      secret: REAL.secretAccessKey,
      id: REAL.accessKeyId,
      coded: encodeURIComponent(session),
    });
    standIn.reply = (response) =>
      response
        .writeHead(200, { "x-echo": session, "content-length": String(body.length) })
        .end(body);
    const reply = await call("s3", { path: "/reports/x" });
    standIn.reply = (response) => response.end("good");
    standIn.keys = REAL;
    t.secrets.set("aws", before);
    assert.equal(standIn.seen.at(-1)?.headers["x-amz-security-token"], session);
    assert.equal(reply.status, 200);
    const all = JSON.stringify([reply.rawHeaders, reply.body]);
    for (const value of [
      session,
      encodeURIComponent(session),
      REAL.secretAccessKey,
      REAL.accessKeyId,
    ])
      assert.ok(!all.includes(value), value);
    assert.equal(
      reply.headers["content-length"],
      String(body.length),
      "clients count on the length",
    );
    assert.equal(reply.body.length, body.length);
  });

  const stranger = {
    accessKeyId: PHANTOM.accessKeyId,
    secretAccessKey: canary("other-").slice(0, 40),
  };
  const bad: readonly (readonly [what: string, code: string, ...call: Parameters<typeof call>])[] =
    [
      [
        "signed by another secret",
        "aws-signature",
        "s3",
        { path: "/reports/x" },
        { keys: stranger },
      ],
      [
        "signed by the real key's id",
        "foreign-credential",
        "s3",
        { path: "/reports/x" },
        { keys: REAL },
      ],
      [
        "with another session's token",
        "foreign-credential",
        "s3",
        { path: "/reports/x" },
        { keys: { ...PHANTOM, sessionToken: "x".repeat(40) } },
      ],
      ["for another region", "aws-scope", "s3", { path: "/reports/x" }, { region: "us-east-1" }],
      ["for another service", "aws-scope", "s3", { path: "/reports/x" }, { service: "iam" }],
      [
        "for the other grant's service",
        "aws-scope",
        "bedrock",
        { method: "POST", path: "/model/x/converse", body: "{}" },
        { service: "s3" },
      ],
      [
        "of twenty minutes ago",
        "aws-date",
        "s3",
        { path: "/reports/x" },
        { at: new Date(Date.now() - 20 * 60_000) },
      ],
      [
        "of the future",
        "aws-date",
        "s3",
        { path: "/reports/x" },
        { at: new Date(Date.now() + 20 * 60_000) },
      ],
      [
        "for another path",
        "aws-signature",
        "s3",
        { path: "/reports/x" },
        {
          alter: (sent) => {
            sent.path = "/reports/y";
          },
        },
      ],
      [
        "for another query",
        "aws-signature",
        "s3",
        { path: "/reports/x" },
        {
          alter: (sent) => {
            sent.path += "?acl";
          },
        },
      ],
      [
        "for another method",
        "aws-signature",
        "s3",
        { path: "/reports/x" },
        {
          alter: (sent) => {
            sent.method = "DELETE";
          },
        },
      ],
      [
        "with a header added that AWS wants signed",
        "aws-signature",
        "s3",
        { path: "/reports/x" },
        {
          alter: (sent) => {
            sent.headers["x-amz-acl"] = "public-read";
          },
        },
      ],
      [
        "with a signed header changed",
        "aws-signature",
        "s3",
        { path: "/reports/x", headers: { "x-amz-meta-a": "1" } },
        {
          alter: (sent) => {
            sent.headers["x-amz-meta-a"] = "2";
          },
        },
      ],
      [
        "with a signed header gone",
        "aws-signature",
        "s3",
        { path: "/reports/x", headers: { "x-amz-meta-a": "1" } },
        {
          alter: (sent) => {
            delete sent.headers["x-amz-meta-a"];
          },
        },
      ],
      [
        "with another body, where its hash stands nowhere",
        "aws-signature",
        "bedrock",
        { method: "POST", path: "/model/x/converse", body: "{}" },
        {
          alter: (sent) => {
            sent.body = "[]";
          },
        },
      ],
      [
        "with a date that isn't the scope's",
        "aws-signature",
        "s3",
        { path: "/reports/x" },
        {
          alter: (sent) => {
            sent.headers["x-amz-date"] = "20200101T000000Z";
          },
        },
      ],
      [
        "by another algorithm",
        "aws-signature",
        "s3",
        { path: "/reports/x" },
        {
          alter: (sent) => {
            sent.headers["authorization"] = (sent.headers["authorization"] ?? "").replace(
              "HMAC-SHA256",
              "ECDSA-P256-SHA256",
            );
          },
        },
      ],
      [
        "with a bearer token",
        "phantom-misplaced",
        "s3",
        { path: "/reports/x" },
        {
          alter: (sent) => {
            sent.headers["authorization"] = `Bearer ${PHANTOM.secretAccessKey}`;
          },
        },
      ],
      [
        "without a signature",
        "no-credential",
        "s3",
        { path: "/reports/x" },
        {
          alter: (sent) => {
            delete sent.headers["authorization"];
          },
        },
      ],
      [
        "signed in its query",
        "aws-presigned",
        "s3",
        { path: "/reports/x" },
        {
          alter: (sent) => {
            delete sent.headers["authorization"];
            sent.path += `?X-Amz-Credential=${PHANTOM.accessKeyId}%2F20261127&X-Amz-Signature=00`;
          },
        },
      ],
      [
        "signed in its query in small letters",
        "aws-presigned",
        "s3",
        { path: "/reports/x" },
        {
          alter: (sent) => {
            sent.path += `?x-amz-signature=00`;
          },
        },
      ],
      [
        "signed in pieces",
        "aws-payload",
        "s3",
        {
          method: "PUT",
          path: "/reports/x",
          body: "1;chunk-signature=0\r\nx\r\n",
          headers: {
            "content-encoding": "aws-chunked",
            "x-amz-content-sha256": "STREAMING-AWS4-HMAC-SHA256-PAYLOAD",
          },
        },
        {},
      ],
      [
        "whose empty body has another's hash",
        "aws-payload",
        "s3",
        { path: "/reports/x", headers: { "x-amz-content-sha256": "0".repeat(64) } },
        {},
      ],
      [
        "with the secret half in a header",
        "phantom-misplaced",
        "s3",
        { path: "/reports/x" },
        {
          alter: (sent) => {
            sent.headers["x-note"] = PHANTOM.secretAccessKey;
          },
        },
      ],
      ["that no rule allows", "not-allowed", "s3", { path: "/private/x" }, {}],
    ];
  for (const [what, expected, service, request, more] of bad) {
    test(`decide() refuses a call ${what}`, async () => {
      const before = standIn.seen.length;
      const reply = await call(service, request, more);
      assert.equal(code(reply), expected);
      assert.equal(standIn.seen.length, before, "nothing went out");
    });
  }

  test("a signature does not serve a second request, and the real one is never the bot's to see", async () => {
    standIn.reply = (response) => {
      response
        .writeHead(200, { "x-was": String(standIn.seen.at(-1)?.headers.authorization) })
        .end("good");
    };
    const reply = await call("s3", { path: "/reports/x" });
    standIn.reply = (response) => response.end("good");
    const was = String(reply.headers["x-was"]);
    assert.ok(!was.includes(REAL.accessKeyId));
    // Even where a service repeats the whole signature, it is of no use: the broker takes the bot's own alone.
    const again = await call(
      "s3",
      { path: "/reports/y" },
      {
        alter: (sent) => {
          sent.headers["authorization"] = was;
        },
      },
    );
    assert.notEqual(again.status, 200);
  });

  test("another body under a signed hash is the service's to refuse, which it does", async () => {
    const reply = await call(
      "s3",
      { method: "PUT", path: "/reports/x", body: "one" },
      {
        alter: (sent) => {
          sent.body = "two";
        },
      },
    );
    assert.match(reply.body, /SignatureDoesNotMatch|XAmzContentSHA256Mismatch/);
  });

  test("the phantom's halves serve at no other grant, nor another's token here", async () => {
    const there = { name: "api.model.test", address: ordinary.hosts[0]?.v4 ?? "" };
    for (const value of Object.values(PHANTOM)) {
      const reply = await t.request(there, {
        path: "/v1/models/x",
        headers: { "x-api-key": value },
      });
      assert.equal(code(reply), "foreign-phantom");
    }
    const reply = await call("s3", { path: "/reports/x", headers: { "x-note": ordinary.phantom } });
    assert.equal(code(reply), "foreign-phantom");
  });

  test("nothing of the key stands in records or messages", async () => {
    await call("s3", { path: "/reports/recorded" });
    await t.record((each) => each.path === "/reports/recorded" && each.outcome === "done");
    const all = t.everything();
    for (const value of [REAL.secretAccessKey, PHANTOM.secretAccessKey, PHANTOM.accessKeyId])
      assert.ok(!all.includes(value));
  });

  const stored: readonly (readonly [what: string, value: string, ok: boolean])[] = [
    [
      "what assume-role prints",
      JSON.stringify({
        Credentials: {
          AccessKeyId: REAL.accessKeyId,
          SecretAccessKey: REAL.secretAccessKey,
          SessionToken: "s".repeat(100),
          Expiration: "2199-01-01T00:00:00Z",
        },
      }),
      true,
    ],
    [
      "what create-access-key prints",
      JSON.stringify({
        AccessKey: {
          UserName: "bot",
          AccessKeyId: REAL.accessKeyId,
          SecretAccessKey: REAL.secretAccessKey,
        },
      }),
      true,
    ],
    [
      "an environment",
      `export AWS_ACCESS_KEY_ID="${REAL.accessKeyId}"\nexport AWS_SECRET_ACCESS_KEY="${REAL.secretAccessKey}"`,
      true,
    ],
    [
      "one that has expired",
      JSON.stringify({
        AccessKeyId: REAL.accessKeyId,
        SecretAccessKey: REAL.secretAccessKey,
        Expiration: "2020-01-01T00:00:00Z",
      }),
      false,
    ],
    [
      "an expiry that is no date",
      JSON.stringify({
        AccessKeyId: REAL.accessKeyId,
        SecretAccessKey: REAL.secretAccessKey,
        Expiration: "soon",
      }),
      false,
    ],
    ["the secret alone", REAL.secretAccessKey, false],
    [
      "an id with a slash",
      JSON.stringify({ AccessKeyId: "AKIA/evil/s3", SecretAccessKey: REAL.secretAccessKey }),
      false,
    ],
    [
      "a secret with a line break",
      JSON.stringify({ AccessKeyId: REAL.accessKeyId, SecretAccessKey: "abcdefgh\nijkl" }),
      false,
    ],
    ["broken JSON", `{"AccessKeyId": "${REAL.accessKeyId}"`, false],
    ["numbers", '{"AccessKeyId": 1, "SecretAccessKey": 2}', false],
    ["null", '{"Credentials": null}', false],
  ];
  for (const [what, value, ok] of stored) {
    test(`fetchAwsKey() ${ok ? "reads" : "refuses"} ${what}`, async () => {
      const before = t.secrets.get("aws") ?? "";
      t.secrets.set("aws", value);
      const answer = await t.configure();
      t.secrets.set("aws", before);
      assert.equal(answer?.type, ok ? "configured" : "refused");
      const text = JSON.stringify(answer);
      assert.ok(!text.includes(REAL.secretAccessKey) && !text.includes("evil"));
    });
  }

  test("compileDeployment() refuses a grant that signs in part only", async () => {
    const config = t.config();
    const [bot] = config.bots;
    assert.ok(bot !== undefined);
    for (const change of [
      { phantomSecret: undefined },
      { phantomSecret: "short" },
      { places: [{ in: "header" as const, name: "x-api-key", prefix: "" }] },
      {
        places: [
          { in: "sigv4" as const, region: REGION, service: "s3" },
          { in: "cookie" as const, name: "a" },
        ],
      },
      { secret: "model", phantom: PHANTOM.accessKeyId },
    ]) {
      const grants = bot.grants.map((grant) =>
        grant.name === "s3"
          ? (JSON.parse(JSON.stringify({ ...grant, ...change })) as typeof grant)
          : grant,
      );
      const answer = await t.configure({ ...config, bots: [{ ...bot, grants }] });
      assert.equal(answer?.type, "refused", JSON.stringify(change));
    }
    assert.deepEqual(await t.configure(config), { type: "configured" });
  });
});
