import { chmodSync, mkdirSync, writeFileSync } from "node:fs";
import net from "node:net";
import { join } from "node:path";
import { PROXY_CORE, requireProgram, startOn } from "./processes.ts";

/**
 * The pattern of credential services written in shell: a Unix socket, socat that forks a script for
 * each request, jq to read it, curl to make the call. Calls per second at `parallel`.
 */
export async function measureShellProxy(options: {
  readonly folder: string;
  readonly upstream: number;
  readonly secret: string;
  readonly parallel: number;
  readonly seconds: number;
}): Promise<number> {
  for (const name of ["socat", "jq", "curl"]) requireProgram(name);
  const home = join(options.folder, "shell");
  mkdirSync(home, { recursive: true });
  const handler = join(home, "handle");
  writeFileSync(
    handler,
    `#!/bin/sh\nread -r request\npath=$(printf '%s' "$request" | jq -r .path)\ncase $path in /v1/*) ;; *) echo '{"error":"refused"}'; exit ;; esac\nprintf '%s' "$request" | jq -c .body | curl -s -X POST -H "x-api-key: ${options.secret}" -H 'content-type: application/json' --data-binary @- "http://127.0.0.1:${options.upstream}$path"\n`,
  );
  chmodSync(handler, 0o755);
  const socket = join(home, "sock");
  const server = startOn(PROXY_CORE, [
    "socat",
    "-t60",
    `UNIX-LISTEN:${socket},fork,backlog=256`,
    `EXEC:${handler}`,
  ]);
  try {
    await untilConnects(socket);
    const until = Date.now() + options.seconds * 1000;
    let done = 0;
    const client = async (): Promise<void> => {
      while (Date.now() < until) {
        const answer = await ask(socket);
        if (!answer.includes("msg_01"))
          throw new Error(`the shell proxy answered: ${answer.slice(0, 100)}`);
        done += 1;
      }
    };
    const began = Date.now();
    await Promise.all(Array.from({ length: options.parallel }, client));
    return done / ((Date.now() - began) / 1000);
  } finally {
    await server.stop();
  }
}

function ask(path: string): Promise<string> {
  return new Promise((resolve, reject) => {
    const socket = net.connect(path);
    let text = "";
    socket.on("data", (chunk: Buffer) => {
      text += chunk.toString();
    });
    socket.once("error", reject);
    socket.once("close", () => {
      resolve(text);
    });
    socket.end('{"path":"/v1/messages","body":{"model":"m"}}\n');
  });
}

async function untilConnects(path: string): Promise<void> {
  for (let tries = 0; ; tries += 1) {
    try {
      await ask(path);
      return;
    } catch (error) {
      if (tries > 100) throw error;
      await new Promise((resolve) => setTimeout(resolve, 50));
    }
  }
}
