import type { JsonObject } from "../../../plan/index.ts";
import type { BridgeRefusal } from "../../bridge/Bridge.ts";
import { MOST_AT_ONCE, MOST_TEXT_BYTES } from "../../bridge/BridgeEnd.ts";
import type { BrokerGrant } from "../../BrokerConfig.ts";
import type { Deployment } from "../../Deployment.ts";
import type { CommandHandler, HandledRequest, HandlerEnd, HandlerTools } from "../Handler.ts";

const REFUSALS: Readonly<Record<BridgeRefusal, string>> = {
  "queue-full": "too much waits for that bot already; try again when it has read some",
  "rate-limit": "too many messages in a minute; wait a little",
  loop: "too many messages have answered each other; stop, and go on when you have read none for ten minutes",
  unwritable: "the message could not be kept, so it was not sent",
};

const SILENT = {
  end: "failed",
  code: "unreachable",
  message: "the bridge doesn't answer; try again in a moment",
} as const;

/**
 * Messages from bot to bot. The sender is whose socket it came by. To write, the sender's grant must
 * name the recipient, and the recipient must have the bridge too and, where its grant says whose
 * messages it takes, name the sender.
 */
export const bridge: CommandHandler = {
  name: "bridge",
  async run(request, tools) {
    const deployment = tools.parts.inForce()?.deployment;
    if (deployment === undefined)
      return { end: "failed", code: "not-ready", message: "nothing is configured" };
    switch (request.operation) {
      case "send":
        return send(request, tools, deployment);
      case "receive":
        return receive(request, tools);
      case "acknowledge": {
        const ids = (request.input["ids"] as unknown[]).map(String);
        const done = await tools.parts.bridge.acknowledge(request.bot, ids);
        return done === undefined ? SILENT : { end: "done", value: { acknowledged: done } };
      }
      case "status": {
        const { bot, grant } = request;
        const mayWriteTo = await tools.parts.bridge.taking(bot, namesIn(grant, "to"));
        const waiting = await tools.parts.bridge.waiting(bot);
        return mayWriteTo === undefined || waiting === undefined
          ? SILENT
          : { end: "done", value: { bot, mayWriteTo: [...mayWriteTo], waiting } };
      }
      default:
        return { end: "usage", message: "the bridge has no such operation" };
    }
  },
};

async function send(
  { bot, grant, input }: HandledRequest,
  { parts }: HandlerTools,
  deployment: Deployment,
): Promise<HandlerEnd> {
  const { to, text, key } = input;
  if (typeof to !== "string" || typeof text !== "string")
    return { end: "usage", message: "it takes whom to write to, and a text" };
  const allowed = namesIn(grant, "to");
  if (!allowed.includes(to)) {
    return {
      end: "refused",
      code: "not-allowed",
      message: "the grant doesn't name that bot",
      rule: `to: ${allowed.length === 0 ? "nobody" : allowed.join(", ")}`,
    };
  }
  if (Buffer.byteLength(text) > MOST_TEXT_BYTES)
    return { end: "usage", message: `a message has at most ${MOST_TEXT_BYTES} bytes` };
  // Worthless where it belongs, and the sign of a break-in at any other bot.
  if (deployment.phantoms.find(text) !== undefined)
    return {
      end: "refused",
      code: "phantom-misplaced",
      message: "the message holds a bot's token",
    };
  const sent = await parts.bridge.send(bot, {
    to,
    text,
    ...(typeof key === "string" ? { key } : {}),
  });
  if (sent === undefined)
    return {
      ...SILENT,
      message:
        "the bridge doesn't answer, so whether the message was kept isn't known; send it again with the same key",
    };
  if ("id" in sent) return { end: "done", value: { id: sent.id } };
  const code = sent.refused;
  if (code === "not-taken")
    return {
      end: "refused",
      code,
      message: "that bot takes no messages from this one",
      rule: `from, in the grant "${grant.name}" of that bot`,
    };
  return code === "unwritable"
    ? { end: "failed", code, message: REFUSALS[code] }
    : { end: "refused", code, message: REFUSALS[code] };
}

async function receive(
  { bot, input }: HandledRequest,
  { parts, signal }: HandlerTools,
): Promise<HandlerEnd> {
  const { wait, most } = input;
  const received = await parts.bridge.receive(bot, {
    most: typeof most === "number" ? most : MOST_AT_ONCE,
    waitMs: typeof wait === "number" ? wait * 1000 : 0,
    signal,
  });
  if (received === undefined) return SILENT;
  const { messages, more } = received;
  return {
    end: "done",
    value: {
      messages: messages.map(({ id, from, at, text }): JsonObject => ({ id, from, at, text })),
      more,
    },
  };
}

function namesIn(grant: BrokerGrant, key: "to" | "from"): string[] {
  const value = grant.kind === "program" ? grant.options[key] : undefined;
  return Array.isArray(value) ? value.map(String) : [];
}

/** Whether a bot has the bridge, and takes what another one writes. */
export function takesFrom(deployment: Deployment, bot: string, from: string): boolean {
  const grants = deployment.bots.get(bot)?.plan.grants ?? [];
  const grant = grants.find((each) => each.kind === "program" && each.service === "bridge");
  if (grant === undefined) return false;
  return (
    !("options" in grant) || !("from" in grant.options) || namesIn(grant, "from").includes(from)
  );
}
