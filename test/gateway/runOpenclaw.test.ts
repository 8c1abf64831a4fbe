import assert from "node:assert/strict";
import { spawn, type ChildProcess } from "node:child_process";
import { once } from "node:events";
import { mkdirSync, readFileSync, symlinkSync } from "node:fs";
import { dirname, join } from "node:path";
import { after, before, describe, test } from "node:test";
import { setTimeout as wait } from "node:timers/promises";
import { ensureOpenClaw, readPin } from "../../src/openclaw/index.ts";
import { freePort } from "../support/Deployment.ts";
import { lacksPlace } from "../support/lacking.ts";
import { RunPlace } from "../support/RunPlace.ts";
import { testStore } from "../support/testStore.ts";

const TOKEN = "a-token-for-this-test-only-0123456789";

describe("the real OpenClaw behind its built-in profiles", { skip: lacksPlace }, () => {
  const place = new RunPlace();
  const bin = join(place.root, "bin");
  const path = `${bin}:${dirname(process.execPath)}:/usr/bin:/bin`;
  let port = 0;

  before(async () => {
    const { entry } = await ensureOpenClaw(readPin("2026.9.6"), testStore(), {
      onProgress: () => undefined,
    });
    mkdirSync(bin);
    symlinkSync(entry, join(bin, "openclaw"));
    port = await freePort();
    place.write(
      ".openclaw/openclaw.json",
      JSON.stringify({
        gateway: { mode: "local", bind: "loopback", port, auth: { mode: "token", token: TOKEN } },
        update: { checkOnStart: false },
        models: { catalogRefresh: { enabled: false } },
      }),
    );
  });
  after(() => place[Symbol.dispose]());

  function start(): { readonly child: ChildProcess; readonly said: () => string } {
    const flags = ["--profile", "openclaw-strict", "--listen-port", String(port)];
    const command = ["--", "openclaw", "gateway", "run"];
    const [program = "", ...words] = place.words(["run", ...flags, ...command]);
    const child = spawn(program, words, {
      cwd: place.project,
      env: { ...place.env, PATH: path },
      stdio: ["ignore", "pipe", "pipe"],
    });
    let text = "";
    for (const stream of [child.stdout, child.stderr])
      stream.on("data", (data: Buffer) => (text += String(data)));
    return { child, said: () => text };
  }

  /** Whether the gateway came to answer before its process ended. */
  async function answers(child: ChildProcess): Promise<boolean> {
    while (child.exitCode === null && child.signalCode === null) {
      const reply = await fetch(`http://127.0.0.1:${port}/healthz`, {
        signal: AbortSignal.timeout(2_000),
      }).catch(() => undefined);
      if (reply?.status === 200) return true;
      await wait(300);
    }
    return false;
  }

  /** What a process behind a profile is told when it adds to a file. */
  function append(profile: string, file: string): string {
    const code = `try { require("fs").appendFileSync(${JSON.stringify(file)}, " "); console.log("written") } catch (e) { console.log(e.code) }`;
    return place.call(["run", "--profile", profile, "--", "node", "-e", code]).stdout.trim();
  }

  test("seawall run --profile openclaw-strict -- openclaw gateway run", async () => {
    const { child, said } = start();
    const closed = once(child, "close");
    try {
      assert.ok(await answers(child), said());
    } finally {
      child.kill("SIGTERM");
      await closed;
    }
    assert.ok(place.has(".openclaw/state") || place.has(".openclaw/agents"), said());
  });

  test("both write what is OpenClaw's, the strict one but for its configuration", () => {
    const config = join(place.home, ".openclaw/openclaw.json");
    const before = readFileSync(config, "utf8");
    for (const profile of ["openclaw", "openclaw-strict"]) {
      assert.equal(append(profile, join(place.home, ".openclaw/another-file")), "written");
      assert.equal(append(profile, join(place.home, "elsewhere")), "EROFS");
    }
    assert.equal(append("openclaw-strict", config), "EROFS");
    assert.equal(readFileSync(config, "utf8"), before);
    assert.equal(append("openclaw", config), "written");
  });
});
