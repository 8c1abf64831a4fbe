import {
  readBytes,
  type Declaration,
  type DeclaredNotify,
  type Fault,
} from "../declaration/index.ts";
import type { ApprovalsPlan, BotPlan, NotifyPlan, Plan } from "./Plan.ts";

/** A file any smaller would be put aside all the time. */
const LEAST_ROTATION = 64 * 1024;

/** What belongs to the deployment as a whole. */
export function planSurroundings(
  { approvals, audit, telemetry }: Declaration,
  bots: readonly BotPlan[],
  faults: Fault[],
): Pick<Plan, "approvals" | "audit" | "telemetry"> {
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
    ...planApprovals(approvals),
    ...(rotateBytes === undefined ? {} : { audit: { rotateBytes } }),
    ...(metricsPort === undefined && traces === undefined
      ? {}
      : {
          telemetry: {
            ...(metricsPort === undefined ? {} : { metricsPort }),
            ...(traces === undefined ? {} : { traces }),
          },
        }),
  };
}

function planApprovals(declared: Declaration["approvals"]): { readonly approvals?: ApprovalsPlan } {
  if (declared === undefined) return {};
  const { notify = [], waitMinutes } = declared;
  const ways = Array.isArray(notify) ? notify : [notify];
  return {
    approvals: {
      notify: ways.map(planNotify),
      ...(waitMinutes === undefined ? {} : { waitMinutes }),
    },
  };
}

function planNotify(declared: DeclaredNotify): NotifyPlan {
  return declared === "desktop" ? { by: "desktop" } : { by: "command", command: declared.command };
}
