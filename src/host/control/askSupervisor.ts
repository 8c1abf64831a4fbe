import { readFileSync } from "node:fs";
import { createConnection } from "node:net";
import { join } from "node:path";
import { createInterface } from "node:readline";
import { SeawallError, type ExitCode } from "../../faults/index.ts";
import { asDiskError, HostError } from "../HostError.ts";
import type { StatePaths } from "../../paths/index.ts";
import { socketPath } from "./socketPath.ts";
import type { ControlAddress, ControlFailure, ControlReply, ControlRequest } from "./protocol.ts";

/** A failure the supervisor reported, with the code, hint and exit code it had there. */
export class SupervisorFailure extends SeawallError {
  override readonly exitCode: ExitCode;

  constructor(failure: ControlFailure) {
    const { code, message, hint, where } = failure;
    super(code, message, {
      ...(hint === undefined ? {} : { hint }),
      ...(where === undefined ? {} : { where }),
    });
    this.exitCode = failure.exitCode as ExitCode;
  }
}

/**
 * Asks the running supervisor and gives its last reply, passing `progress` on as it comes.
 *
 * @throws HostError `not-running` when there is none; SeawallError with what it reported.
 */
export async function askSupervisor(
  paths: StatePaths,
  request: ControlRequest,
  onProgress: (text: string) => void = () => undefined,
): Promise<ControlReply> {
  const address = readAddress(paths);
  if (address === undefined) throw notRunning();
  const connection = createConnection(socketPath(address.socket));
  const failed = new Promise<never>((_, reject) => {
    connection.once("error", (error: NodeJS.ErrnoException) =>
      reject(error.code === "ECONNREFUSED" || error.code === "ENOENT" ? notRunning() : died(error)),
    );
  });
  failed.catch(() => undefined);
  connection.write(`${address.token} ${JSON.stringify(request)}\n`);
  try {
    return await Promise.race([failed, lastReply(connection, onProgress)]);
  } finally {
    connection.destroy();
  }
}

async function lastReply(
  connection: NodeJS.ReadableStream,
  onProgress: (text: string) => void,
): Promise<ControlReply> {
  for await (const line of createInterface({ input: connection, crlfDelay: Infinity })) {
    const reply = JSON.parse(line) as ControlReply;
    if (reply.kind === "error") throw new SupervisorFailure(reply.error);
    if (reply.kind !== "progress") return reply;
    onProgress(reply.text);
  }
  throw died();
}

/**
 * Where the supervisor says it is. It may be gone: only a connection tells.
 *
 * @throws HostError `no-access` when this user may not know.
 */
export function readAddress(paths: StatePaths): ControlAddress | undefined {
  try {
    return JSON.parse(readFileSync(join(paths.run, "supervisor.json"), "utf8")) as ControlAddress;
  } catch (error) {
    const { code } = error as NodeJS.ErrnoException;
    if (code === "EACCES" || code === "EPERM") throw asDiskError(error, "the state folder");
    return undefined;
  }
}

function notRunning(): HostError {
  return new HostError("not-running", "nothing is running", { hint: "start it with: seawall up" });
}

function died(cause?: unknown): HostError {
  return new HostError("supervisor-died", "the supervisor ended before it answered", {
    hint: "look at: seawall logs --supervisor",
    cause,
  });
}
