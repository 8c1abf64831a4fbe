import type { JsonObject } from "../../../plan/index.ts";
import type { BridgeRefusal } from "../../bridge/Bridge.ts";
import type { BrokerGrant } from "../../BrokerConfig.ts";
import type { Deployment } from "../../Deployment.ts";
import type { CommandHandler, HandledRequest, HandlerEnd, HandlerTools } from "../Handler.ts";

const MOST_TEXT_BYTES = 64 * 1024;
const MOST_AT_ONCE = 50;

const REFUSALS: Readonly<Record<BridgeRefusal, string>> = {
  "queue-full": "too much waits for that bot already; try again when it has read some",
  "rate-limit": "too many messages in a minute; wait a little",
  loop: "too many messages have answered each other; stop, and go on when you have read none for ten minutes",
  unwritable: "the message could not be kept, so it was not sent",
};

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
        return { end: "done", value: { acknowledged: done } };
      }
      case "status":
        return {
          end: "done",
          value: {
            bot: request.bot,
            mayWriteTo: namesIn(request.grant, "to").filter((to) =>
              takesFrom(deployment, to, request.bot),
            ),
            waiting: tools.parts.bridge.waiting(request.bot),
          },
        };
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
  if (!takesFrom(deployment, to, bot)) {
    return {
      end: "refused",
      code: "not-taken",
      message: "that bot takes no messages from this one",
      rule: `from, in the grant "${grant.name}" of that bot`,
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
  const sent = await parts.bridge.send({
    from: bot,
    to,
    text,
    ...(typeof key === "string" ? { key } : {}),
  });
  if ("id" in sent) return { end: "done", value: { id: sent.id } };
  const code = sent.refused;
  return code === "unwritable"
    ? { end: "failed", code, message: REFUSALS[code] }
    : { end: "refused", code, message: REFUSALS[code] };
}

async function receive(
  { bot, input }: HandledRequest,
  { parts, signal }: HandlerTools,
): Promise<HandlerEnd> {
  const wait = input["wait"];
  if (typeof wait === "number" && wait > 0)
    await parts.bridge.arrival(bot, AbortSignal.any([signal, AbortSignal.timeout(wait * 1000)]));
  const most = typeof input["most"] === "number" ? input["most"] : MOST_AT_ONCE;
  const messages = await parts.bridge.receive(bot, most);
  return {
    end: "done",
    value: {
      messages: messages.map(({ id, from, at, text }): JsonObject => ({ id, from, at, text })),
      more: parts.bridge.waiting(bot) > messages.length,
    },
  };
}

/** Whether a bot has the bridge, and takes what another one writes. */
function takesFrom(deployment: Deployment, bot: string, from: string): boolean {
  const grants = deployment.bots.get(bot)?.plan.grants ?? [];
  const grant = grants.find((each) => each.kind === "program" && each.service === "bridge");
  if (grant === undefined) return false;
  return (
    !("options" in grant) || !("from" in grant.options) || namesIn(grant, "from").includes(from)
  );
}

function namesIn(grant: BrokerGrant, key: "to" | "from"): string[] {
  const value = grant.kind === "program" ? grant.options[key] : undefined;
  return Array.isArray(value) ? value.map(String) : [];
}
