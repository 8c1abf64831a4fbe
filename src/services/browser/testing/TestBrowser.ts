import { mkdtempSync, rmSync, chmodSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import type { LookupAddress } from "node:dns";
import { ensureAuthority, issueLeaf } from "../../../authority/index.ts";
import { BrowserWalls } from "../../../host/supervisor/BrowserWalls.ts";
import { storeProgram } from "../../../host/storeProgram.ts";
import { compileWall, type HostCapabilities } from "../../../wall/index.ts";
import { lacking, probeSubject, ROOT, SUBJECT } from "../../../wall/testing/harness.ts";
import { LAUNCHER, NODE } from "../../../wall/testing/reachable.ts";
import {
  BROWSER_LIMITS,
  BROWSER_PROGRAM,
  browserWall,
  findChromium,
  type BrowserWallInput,
} from "../browserWall.ts";
import { Gate } from "../gate/Gate.ts";
import { readRequest } from "../gate/readRequest.ts";
import type { BrowserRules, FromGate, PageReply, PageRequest, ToGate } from "../messages.ts";

/** Why there can be no browser here, for a visible skip; on a machine that CI calls complete it is an error. */
export function lackingBrowser(host: HostCapabilities): string | false {
  if (process.env["CI"] === "true") return false;
  return findChromium() === undefined ? "chromium is missing" : lacking(host);
}

export { probeSubject };

/**
 * A real Chromium in its real wall, and the gate in this process, so that a test can say what names
 * resolve to.
 */
export class TestBrowser {
  readonly walls: BrowserWalls;
  readonly log: string[] = [];
  readonly #gate: Gate;
  readonly #folder: string;
  readonly said: FromGate[] = [];

  private constructor(
    folder: string,
    resolve: (name: string) => Promise<readonly LookupAddress[]>,
  ) {
    this.#folder = folder;
    this.walls = new BrowserWalls(
      {
        write: (chunk) => void this.log.push(chunk.toString()),
        note: (text) => void this.log.push(text),
      },
      (message, handle) => this.#gate.receive(message, handle),
    );
    this.#gate = new Gate((message) => {
      this.said.push(message);
      if (message.type === "start-browser") this.walls.start(message.bot);
      if (message.type === "stop-browser") this.walls.stop(message.bot);
    }, resolve);
  }

  static async start(
    host: HostCapabilities,
    bots: readonly { readonly bot: string; readonly rules: BrowserRules }[],
    resolve: (name: string) => Promise<readonly LookupAddress[]>,
    /** Another one than this host's. */
    other?: Pick<BrowserWallInput, "chromium" | "program" | "system">,
  ): Promise<TestBrowser> {
    const folder = mkdtempSync(join(tmpdir(), "seawall-browser-"));
    chmodSync(folder, 0o755);
    const chromium = other?.chromium ?? findChromium();
    if (chromium === undefined) throw new Error("chromium is missing");
    const browser = new TestBrowser(folder, resolve);
    const authority = await ensureAuthority(join(folder, "authority"));
    const { chain, key } = await issueLeaf(authority, ["browser.seawall.invalid"]);
    const wall = compileWall(
      browserWall({
        node: NODE,
        ...(other ?? {
          chromium,
          program: storeProgram(join(folder, "store"), BROWSER_PROGRAM),
        }),
        limits: BROWSER_LIMITS,
      }),
      host,
    );
    browser.walls.use(
      bots.map(({ bot }) => ({
        bot,
        wall,
        launcher: LAUNCHER,
        bwrap: host.bubblewrap?.path ?? "bwrap",
        ...(ROOT ? { uid: SUBJECT.uid ?? 0 } : {}),
      })),
    );
    browser.receive({
      type: "configure",
      bots,
      certificate: { chain, key },
      executable: chromium,
    });
    return browser;
  }

  receive(message: ToGate): void {
    this.#gate.receive(message);
  }

  open(
    bot: string,
    asked: Partial<PageRequest> & { readonly url: string },
    signal: AbortSignal = new AbortController().signal,
  ): Promise<PageReply> {
    const request = readRequest(JSON.stringify({ operation: "fetch", ...asked }));
    if (request === undefined) throw new Error("no request");
    return this.#gate.open(bot, request, signal);
  }

  async stop(): Promise<void> {
    this.#gate.receive({ type: "stop" });
    await this.walls.stopAll();
    rmSync(this.#folder, { recursive: true, force: true });
  }
}
