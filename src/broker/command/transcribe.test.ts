import assert from "node:assert/strict";
import { once } from "node:events";
import { readFileSync } from "node:fs";
import http, { type IncomingMessage, type ServerResponse } from "node:http";
import type { AddressInfo } from "node:net";
import { join } from "node:path";
import { after, before, describe, test } from "node:test";
import { catalogueBots } from "../testing/catalogueBots.ts";
import { TestBroker } from "../testing/TestBroker.ts";
import { TestCommands, type CommandEnd } from "../testing/TestCommands.ts";

const AUDIO = join(import.meta.dirname, "audio/testing");
const recording = (file: string): Buffer => readFileSync(join(AUDIO, file));

interface Seen {
  readonly url: string;
  readonly form: FormData;
}

/** A server that takes recordings at one path only, as either kind does, and what it was sent. */
async function speechServer(
  path: string,
  reply: (form: FormData, response: ServerResponse) => void,
): Promise<{ readonly server: http.Server; readonly port: number; readonly seen: Seen[] }> {
  const seen: Seen[] = [];
  const take = async (request: IncomingMessage, response: ServerResponse): Promise<void> => {
    const chunks: Buffer[] = [];
    for await (const chunk of request) chunks.push(chunk as Buffer);
    const { url = "", headers, method } = request;
    if (method !== "POST" || url !== path) {
      response.writeHead(404).end("File Not Found");
      return;
    }
    const type = headers["content-type"] ?? "";
    const body = new Response(new Uint8Array(Buffer.concat(chunks)), {
      headers: { "content-type": type },
    });
    const form = await body.formData();
    seen.push({ url, form });
    reply(form, response);
  };
  const server = http.createServer((request, response) => void take(request, response));
  server.listen(0, "127.0.0.1");
  await once(server, "listening");
  return { server, port: (server.address() as AddressInfo).port, seen };
}

function json(response: ServerResponse, status: number, value: unknown): void {
  response.writeHead(status, { "content-type": "application/json" }).end(JSON.stringify(value));
}

describe("transcribe", () => {
  let t: TestBroker;
  const commands = new Map<string, TestCommands>();
  const servers: http.Server[] = [];
  let openai: Awaited<ReturnType<typeof speechServer>>;
  let whisper: Awaited<ReturnType<typeof speechServer>>;
  let odd: (response: ServerResponse) => void = () => undefined;

  before(async () => {
    openai = await speechServer("/v1/audio/transcriptions", (form, response) => {
      if (form.get("model") === "none") {
        json(response, 400, { error: { message: "no such model\u0007" } });
        return;
      }
      const verbose = form.get("response_format") === "verbose_json";
      const part = { start: 0, end: 0.3, text: " a tone", tokens: [1] };
      json(response, 200, {
        text: " a tone",
        ...(verbose ? { language: "en", duration: 0.3, segments: [part, { text: 1 }] } : {}),
      });
    });
    whisper = await speechServer("/inference", (_form, response) => {
      json(response, 200, { text: " a hum\n" });
    });
    const strange = await speechServer("/v1/audio/transcriptions", (_form, response) => {
      odd(response);
    });
    servers.push(openai.server, whisper.server, strange.server);
    t = await TestBroker.start();
    const grant = (port: number): Record<string, object> => ({
      transcribe: { url: `http://127.0.0.1:${port}` },
    });
    const { grants } = catalogueBots(
      {
        bots: {
          one: grant(openai.port),
          two: grant(whisper.port),
          three: grant(strange.port),
          four: {
            transcribe: { url: `http://127.0.0.1:${whisper.port}`, allow: ["POST /inference"] },
          },
        },
      },
      () => undefined,
    );
    for (const [bot, its] of grants) await t.bot(bot, its);
    assert.deepEqual(await t.configure(), { type: "configured" });
    for (const bot of grants.keys()) commands.set(bot, await TestCommands.open(t, bot));
  });
  after(async () => {
    await t.end();
    for (const server of servers) {
      server.closeAllConnections();
      server.close();
    }
  });

  async function use(
    bot: string,
    body: Uint8Array | undefined,
    ...args: string[]
  ): Promise<
    CommandEnd & { readonly value: unknown; readonly error: { code?: string; message?: string } }
  > {
    const client = commands.get(bot);
    assert.ok(client !== undefined);
    const end = await client.use("transcribe", ["audio", ...args], body);
    const failed = end.err === "" ? {} : (JSON.parse(end.err) as { error: { code: string } }).error;
    const value: unknown = end.out.length === 0 ? undefined : JSON.parse(end.out.toString());
    return { ...end, value, error: failed };
  }

  test("every format reaches an OpenAI-compatible server whole, under a name of ours", async () => {
    for (const [file, name, type] of [
      ["tone.wav", "audio.wav", "audio/wav"],
      ["bare.mp3", "audio.mp3", "audio/mpeg"],
      ["tone.opus", "audio.ogg", "audio/ogg"],
      ["tone.flac", "audio.flac", "audio/flac"],
      ["tone.m4a", "audio.m4a", "audio/mp4"],
      ["tone.webm", "audio.webm", "audio/webm"],
    ] as const) {
      const end = await use("one", recording(file));
      assert.deepEqual([end.code, end.value, end.err], [0, { text: "a tone" }, ""]);
      const sent = openai.seen.at(-1)?.form.get("file");
      assert.ok(sent instanceof File);
      assert.deepEqual([sent.name, sent.type], [name, type]);
      assert.deepEqual(Buffer.from(await sent.arrayBuffer()), recording(file));
    }
    const call = await t.record((each) => each.kind === "call" && each.bot === "one");
    assert.equal(call.rule, "POST /v1/audio/transcriptions");
    const use1 = await t.record((each) => each.kind === "command" && each.bot === "one");
    assert.deepEqual([use1.path, use1.method, use1.outcome], ["transcribe", "audio", "done"]);
  });

  test("language, prompt, model and segments are passed on, and only what has the right shape back", async () => {
    const prompt = 'Rhosneigr\r\n--x\r\ncontent-disposition: form-data; name="model"\r\n\r\nnone';
    const end = await use(
      "one",
      recording("tone.wav"),
      JSON.stringify({ language: "en", prompt, model: "large", segments: true }),
    );
    const form = openai.seen.at(-1)?.form;
    assert.deepEqual(
      ["language", "prompt", "model", "response_format"].map((name) => form?.getAll(name)),
      [["en"], [prompt], ["large"], ["verbose_json"]],
    );
    assert.deepEqual(end.value, {
      text: "a tone",
      language: "en",
      duration: 0.3,
      segments: [{ start: 0, end: 0.3, text: "a tone" }],
    });
  });

  test("whisper.cpp's own server is asked in its way, also where the grant has no other", async () => {
    for (const bot of ["two", "four"]) {
      const end = await use(bot, recording("tone.ogg"));
      assert.deepEqual([end.code, end.value], [0, { text: "a hum" }], end.err);
      assert.equal(whisper.seen.at(-1)?.url, "/inference");
    }
  });

  test("what is no recording isn't sent, whatever it is called", async () => {
    const before = openai.seen.length;
    for (const body of ["", "hello", "%PDF-1.7", "MZ\x90", "RIFF\0\0\0\0AVI "]) {
      const end = await use("one", Buffer.from(body, "latin1"));
      assert.deepEqual([end.code, end.error.code], [2, "usage"], body);
    }
    const none = await use("one", undefined);
    assert.equal(none.code, 2);
    assert.match(none.error.message ?? "", /--input/);
    assert.equal((await use("one", recording("tone.wav"), "language=en; x")).code, 2);
    assert.equal((await use("one", recording("tone.wav"), `prompt=${"x".repeat(2000)}`)).code, 2);
    assert.equal((await use("one", recording("tone.wav"), "file=/etc/passwd")).code, 2);
    assert.equal(openai.seen.length, before);
  });

  test("a recording that is too large is refused before all of it is here", async () => {
    const before = openai.seen.length;
    const huge = Buffer.concat([recording("tone.wav"), Buffer.alloc(26 * 1024 * 1024)]);
    const end = await use("one", huge);
    assert.deepEqual([end.code, end.error.code], [2, "usage"]);
    assert.match(end.error.message ?? "", /25 MB/);
    assert.equal(openai.seen.length, before);
  });

  test("a server that fails, lies or babbles is a failure outside, and harms nobody", async () => {
    const ask = async (how: (response: ServerResponse) => void): Promise<string | undefined> => {
      odd = how;
      const end = await use("three", recording("tone.wav"));
      assert.equal(end.code, 5, end.err);
      return end.error.code;
    };
    assert.equal(await ask((r) => void r.writeHead(500).end("x")), "service-error");
    assert.equal(await ask((r) => void r.writeHead(200).end("no JSON")), "service-protocol");
    assert.equal(await ask((r) => void r.writeHead(200).end("[1]")), "service-protocol");
    assert.equal(await ask((r) => void r.writeHead(200).end('{"text":1}')), "service-protocol");
    assert.equal(await ask((r) => void r.writeHead(404).end()), "no-transcription");
    assert.notEqual(await ask((r) => void r.destroy()), undefined);
    assert.notEqual(
      await ask((r) => {
        r.writeHead(200, { "content-length": 9 * 1024 * 1024 });
        r.end(Buffer.alloc(9 * 1024 * 1024, "x"));
      }),
      undefined,
    );
    const told = await use("one", recording("tone.wav"), "model=none");
    assert.equal(told.code, 5);
    assert.match(told.error.message ?? "", /answered 400: no such model\?$/);
    assert.equal((await use("one", recording("tone.wav"))).code, 0);
  });
});
