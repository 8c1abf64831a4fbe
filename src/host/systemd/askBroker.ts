import { connect } from "node:net";
import type { Ask, ControlRequest } from "../../broker/index.ts";
import type { HealthWarning } from "../status.ts";
import type { SystemPaths } from "./systemPaths.ts";

export type BrokerReply =
  | {
      readonly ok: true;
      readonly id?: string;
      readonly asks?: readonly Ask[];
      readonly health?: readonly HealthWarning[];
    }
  | {
      readonly ok: false;
      readonly code?: string;
      readonly message?: string;
      readonly hint?: string;
    };

const TIMEOUT_MS = 15_000;

/** Says one thing to a bot's broker; `undefined` when nobody answers there. */
export function askBroker(
  { runtime }: SystemPaths,
  bot: string,
  request: ControlRequest,
): Promise<BrokerReply | undefined> {
  return new Promise((resolve) => {
    const socket = connect(`${runtime}/${bot}/control`);
    let text = "";
    const end = (): void => {
      socket.destroy();
      try {
        resolve(JSON.parse(text) as BrokerReply);
      } catch {
        resolve(undefined);
      }
    };
    socket.setTimeout(TIMEOUT_MS, end);
    socket.once("error", end);
    socket.once("end", end);
    socket.setEncoding("utf8").on("data", (chunk: string) => {
      text += chunk;
    });
    socket.write(`${JSON.stringify(request)}\n`);
  });
}
