import net from "node:net";
import type { FromInside, ToInside } from "../messages.ts";
import { Browser } from "./Browser.ts";
import { PageError } from "./PageError.ts";

/**
 * The program inside the browser's wall: it drives Chromium as the gate says. It has no network but the
 * gate's proxy, no file of the host's and no secret; a page that takes it over has gained the means to
 * ask the gate for what the gate refuses.
 */
const [where = ""] = process.argv.slice(2);
/** Orders come by a connection to a port inside, or by one that systemd handed over. */
const control = where.startsWith("fd:")
  ? new net.Socket({ fd: Number(where.slice(3)), readable: true, writable: true })
  : net.connect({ host: "127.0.0.1", port: Number(where) });

let browser: Browser | undefined;

function say(message: FromInside): void {
  control.write(`${JSON.stringify(message)}\n`);
}

async function obey(order: ToInside): Promise<void> {
  if (order.type === "hello") {
    browser = await Browser.launch(order, end);
    say({ type: "ready", version: browser.version });
    return;
  }
  const { id } = order;
  if (order.type === "cancel") {
    browser?.cancel(id);
    return;
  }
  try {
    if (browser === undefined) throw new PageError("no-browser", "there is no browser yet");
    say({ type: "rendered", id, page: await browser.render(order) });
  } catch (error) {
    const { code, message } =
      error instanceof PageError
        ? error
        : new PageError("no-page", error instanceof Error ? error.message : "unknown");
    say({ type: "failed", id, code, message: message.split("\n")[0]?.slice(0, 300) ?? "" });
  }
}

/** Everything in this wall ends with it, and the next call begins with a new one. */
function end(reason: string): void {
  process.stderr.write(
    `the browser ended: ${reason.replaceAll(/[^\x20-\x7e]/g, "?").slice(0, 300)}\n`,
  );
  process.exitCode = 1;
  control.destroy();
  // eslint-disable-next-line unicorn/no-process-exit -- this file is a program of its own
  process.exit(1);
}

let held = "";
control.setEncoding("utf8").on("data", (text: string) => {
  const lines = (held + text).split("\n");
  held = lines.pop() ?? "";
  for (const line of lines)
    obey(JSON.parse(line) as ToInside).catch((error: unknown) => {
      end(error instanceof Error ? error.message : "unknown");
    });
});
control.on("error", () => undefined);
control.on("close", () => end("the gate closed the connection"));
