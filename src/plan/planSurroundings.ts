import { readBytes, type Declaration, type Fault } from "../declaration/index.ts";
import type { ApprovalsPlan, BotPlan, Plan } from "./Plan.ts";
import { planChat } from "./planChat.ts";
import type { KnownService } from "./resolveServices.ts";

/** A file any smaller would be put aside all the time. */
const LEAST_ROTATION = 64 * 1024;

/** What belongs to the deployment as a whole. */
export function planSurroundings(
  { approvals, audit, telemetry, autoUpdate }: Declaration,
  bots: readonly BotPlan[],
  services: ReadonlyMap<string, KnownService>,
  faults: Fault[],
): Pick<Plan, "approvals" | "audit" | "telemetry" | "autoUpdate"> {
  const rotateBytes = audit?.rotateBytes === undefined ? undefined : readBytes(audit.rotateBytes);
  if (rotateBytes !== undefined && rotateBytes < LEAST_ROTATION) {
    faults.push({
      code: "invalid",
      path: ["audit", "rotateBytes"],
      message: '"rotateBytes" must be at least 64K',
    });
  }
  const { metricsPort, traces } = telemetry ?? {};
  const owner = bots.find(({ ingress }) => ingress.port === metricsPort)?.name;
  if (owner !== undefined) {
    faults.push({
      code: "port-taken",
      path: ["telemetry", "metricsPort"],
      message: `bot "${owner}" wants port ${metricsPort ?? ""} too`,
      hint: "choose another one",
    });
  }
  return {
    ...planApprovals(approvals, bots, services, faults),
    ...(rotateBytes === undefined ? {} : { audit: { rotateBytes } }),
    ...(metricsPort === undefined && traces === undefined
      ? {}
      : {
          telemetry: {
            ...(metricsPort === undefined ? {} : { metricsPort }),
            ...(traces === undefined ? {} : { traces }),
          },
        }),
    ...(autoUpdate === undefined ? {} : { autoUpdate }),
  };
}

function planApprovals(
  declared: Declaration["approvals"],
  bots: readonly BotPlan[],
  services: ReadonlyMap<string, KnownService>,
  faults: Fault[],
): { readonly approvals?: ApprovalsPlan } {
  if (declared === undefined) return {};
  const { notify = [], waitMinutes } = declared;
  const ways = Array.isArray(notify) ? notify : [notify];
  return {
    approvals: {
      notify: ways.flatMap((way, index): ApprovalsPlan["notify"] => {
        if (way === "desktop") return [{ by: "desktop" }];
        if ("command" in way) return [{ by: "command", command: way.command }];
        const path = ["approvals", "notify", ...(Array.isArray(notify) ? [index] : []), "chat"];
        return planChat(way.chat, { bots, services }, path, faults);
      }),
      ...(waitMinutes === undefined ? {} : { waitMinutes }),
    },
  };
}
