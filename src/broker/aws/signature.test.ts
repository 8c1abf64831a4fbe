import assert from "node:assert/strict";
import { describe, test } from "node:test";
import fc from "fast-check";
import type { Header } from "../match.ts";
import { sha256Hex } from "./canonicalRequest.ts";
import { EMPTY_PAYLOAD } from "./payload.ts";
import { readAuthorization } from "./readAuthorization.ts";
import { awsTime, readAwsTime, signatureOf } from "./signature.ts";
import { signLikeAws } from "./testing/signLikeAws.ts";

/** https://docs.aws.amazon.com/AmazonS3/latest/API/sig-v4-header-based-auth.html, and AWS's test suite (aws-sig-v4-test-suite). */
describe("signatureOf() on AWS's own vectors", () => {
  const suite = {
    secret: "wJalrXUtnFEMI/K7MDENG+bPxRfiCYEXAMPLEKEY",
    time: "20150830T123600Z",
    service: "service",
    headers: [
      ["Host", "example.amazonaws.com"],
      ["X-Amz-Date", "20150830T123600Z"],
    ] as Header[],
  };
  const s3 = {
    secret: "wJalrXUtnFEMI/K7MDENG/bPxRfiCYEXAMPLEKEY",
    time: "20130524T000000Z",
    service: "s3",
    headers: [
      ["Host", "examplebucket.s3.amazonaws.com"],
      ["x-amz-date", "20130524T000000Z"],
    ] as Header[],
  };
  const vectors: readonly {
    readonly name: string;
    readonly of: typeof suite;
    readonly method?: string;
    readonly path?: string;
    readonly query?: string;
    readonly headers?: readonly Header[];
    readonly body?: string;
    readonly signature: string;
  }[] = [
    {
      name: "get-vanilla",
      of: suite,
      signature: "5fa00fa31553b73ebf1942676e86291e8372ff2a2260956d9b8aae1d763fbf31",
    },
    {
      name: "get-vanilla-query-order-key-case",
      of: suite,
      query: "?Param2=value2&Param1=value1",
      signature: "b97d918cfa904a5beff61c982a1b6f458b799221646efd99d3219ec94cdf2500",
    },
    {
      name: "post-x-www-form-urlencoded",
      of: suite,
      method: "POST",
      headers: [["Content-Type", "application/x-www-form-urlencoded"]],
      body: "Param1=value1",
      signature: "ff11897932ad3f4e8b18135d722051e5ac45fc38421b1da7b9d196a0fe09473a",
    },
    {
      name: "S3: GET Object",
      of: s3,
      path: "/test.txt",
      headers: [
        ["Range", "bytes=0-9"],
        ["x-amz-content-sha256", EMPTY_PAYLOAD],
      ],
      signature: "f0e8bdb87c964420e857bd35b5d6ed310bd44f0170aba48dd91039c6036bdb41",
    },
    {
      name: "S3: PUT Object",
      of: s3,
      method: "PUT",
      path: "/test%24file.text",
      headers: [
        ["Date", "Fri, 24 May 2013 00:00:00 GMT"],
        ["x-amz-storage-class", "REDUCED_REDUNDANCY"],
        ["x-amz-content-sha256", sha256Hex("Welcome to Amazon S3.")],
      ],
      body: "Welcome to Amazon S3.",
      signature: "98ad721746da40c64f1a55b78f14c238d841ea1380cd77a1b5971af0ece108bd",
    },
    {
      name: "S3: GET Bucket Lifecycle",
      of: s3,
      query: "?lifecycle",
      headers: [["x-amz-content-sha256", EMPTY_PAYLOAD]],
      signature: "fea454ca298b7da1c68078a5d1bdbfbbe0d65c699e0f91ac7a200a0136783543",
    },
    {
      name: "S3: GET Bucket (List Objects)",
      of: s3,
      query: "?max-keys=2&prefix=J",
      headers: [["x-amz-content-sha256", EMPTY_PAYLOAD]],
      signature: "34b48302e7b5fa45bde8084f4b7868a86f0a534bc59db6670ed5711ef69dc6f7",
    },
  ];
  for (const {
    name,
    of,
    method = "GET",
    path = "/",
    query = "",
    headers = [],
    body,
    signature,
  } of vectors) {
    test(name, () => {
      const all = [...of.headers, ...headers];
      const signed = all.map(([key]) => key.toLowerCase()).toSorted();
      const payload = body === undefined ? EMPTY_PAYLOAD : sha256Hex(body);
      assert.equal(
        signatureOf(
          of.secret,
          { method, path, query, headers: all, signed, payload, service: of.service },
          { time: of.time, region: "us-east-1", service: of.service },
        ),
        signature,
      );
    });
  }
});

test("signatureOf() agrees with AWS's own library, whatever the request", async () => {
  const keys = { accessKeyId: "AKIAEXAMPLE", secretAccessKey: "a/b+c".repeat(8) };
  const segment = fc
    .string({ unit: "grapheme", minLength: 1, maxLength: 12 })
    .filter((text) => text.isWellFormed() && !/^\.{1,2}$/.test(text) && !/[/\\%]/.test(text));
  const word = fc.string({ unit: "grapheme", maxLength: 12 }).filter((text) => text.isWellFormed());
  await fc.assert(
    fc.asyncProperty(
      fc.constantFrom("s3", "bedrock", "sqs", "execute-api"),
      fc.constantFrom("GET", "PUT", "POST", "DELETE"),
      fc.array(segment, { maxLength: 4 }),
      fc.dictionary(
        word.filter((name) => name !== "" && !/^x-amz/i.test(name) && name !== "__proto__"),
        word,
        { maxKeys: 4 },
      ),
      fc.dictionary(
        fc.stringMatching(/^x-amz-meta-[a-z]{1,8}$/),
        fc.stringMatching(/^[\x21-\x7e][\x20-\x7e]{0,20}$/),
        { maxKeys: 3 },
      ),
      fc.option(word, { nil: undefined }),
      fc.date({ min: new Date("2001-01-01"), max: new Date("2099-01-01"), noInvalidDate: true }),
      async (service, method, segments, query, headers, body, at) => {
        const path = `/${segments.map(encodeStrictly).join("/")}`;
        const sent = await signLikeAws(
          {
            method,
            hostname: "h.example.com",
            path,
            query,
            headers,
            ...(body === undefined ? {} : { body }),
          },
          keys,
          { region: "eu-central-1", service, at },
        );
        const read = readAuthorization(sent["authorization"] ?? "");
        assert.ok(read !== undefined);
        const text = Object.entries(query)
          .map(([name, value]) => `${encodeStrictly(name)}=${encodeStrictly(value)}`)
          .join("&");
        const ours = signatureOf(
          keys.secretAccessKey,
          {
            method,
            path,
            query: text === "" ? "" : `?${text}`,
            headers: Object.entries(sent),
            signed: read.signed,
            payload: sha256Hex(Buffer.from(body ?? "")),
            service,
          },
          { time: sent["x-amz-date"] ?? "", region: "eu-central-1", service },
        );
        assert.equal(ours, read.signature);
      },
    ),
    { numRuns: 300 },
  );
});

function encodeStrictly(text: string): string {
  return encodeURIComponent(text).replaceAll(
    /[!'()*]/g,
    (char) => `%${char.charCodeAt(0).toString(16).toUpperCase()}`,
  );
}

test("readAwsTime() reads what awsTime() writes, and nothing else", () => {
  const at = Date.UTC(2026, 10, 27, 1, 2, 3);
  assert.equal(awsTime(at), "20261127T010203Z");
  assert.equal(readAwsTime("20261127T010203Z"), at);
  for (const text of [
    "",
    "20261127T010203",
    "20261327T010203Z",
    "2026-11-27T01:02:03Z",
    "20261127T250203Z",
  ])
    assert.equal(readAwsTime(text), undefined);
});

test("readAuthorization() takes one form alone", () => {
  const good = `AWS4-HMAC-SHA256 Credential=AKIA/20261127/eu-central-1/s3/aws4_request, SignedHeaders=host;x-amz-date, Signature=${"0".repeat(64)}`;
  assert.ok(readAuthorization(good) !== undefined);
  for (const bad of [
    good.replace("host;x-amz-date", "x-amz-date;host"),
    good.replace("host;x-amz-date", "host;host"),
    good.replace("host;x-amz-date", "Host;x-amz-date"),
    good.replace("aws4_request", "aws5_request"),
    good.replace("/s3/", "/s3/x/"),
    good.replace("HMAC", "ECDSA-P256"),
    good.replace("0".repeat(64), "0".repeat(63)),
    good.replace("0".repeat(64), "A".repeat(64)),
    `${good}, Credential=x`,
    good.replace("SignedHeaders", "Signature=0, SignedHeaders"),
  ])
    assert.equal(readAuthorization(bad), undefined, bad);
});
