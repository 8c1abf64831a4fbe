import { loadDeclaration } from "../../host/index.ts";
import {
  formatRule,
  type BotPlan,
  type ContentPlan,
  type DialPlan,
  type GrantPlan,
  type LimitsPlan,
  type NotifyPlan,
  type ResourcesPlan,
  type Plan,
} from "../../plan/index.ts";
import type { Command } from "../Command.ts";

export const plan: Command = {
  name: "plan",
  usage: "[FILE]",
  summary: "what would be deployed",
  help: "Resolves the declaration and prints what comes of it, in short or, with --json, whole.",
  options: {},
  words: { least: 0, most: 1 },
  run: async ({ words: [file], output, json }) => {
    const loaded = loadDeclaration(file, process.env);
    if (json) output.json(loaded.plan);
    else for (const line of planLines(loaded.plan)) output.line(line);
    return 0;
  },
};

export function planLines(plan: Plan): string[] {
  const { bots, secrets, approvals, audit, telemetry } = plan;
  const told = (approvals?.notify ?? []).map(notifyText);
  return [
    ...bots.flatMap(botLines),
    `secrets: ${secrets.map(({ name, source }) => `${name} (${source.store})`).join(", ") || "none"}`,
    ...(asks(plan)
      ? [
          `questions: wait ${approvals?.waitMinutes ?? 5} min, told ${told.join(", ") || "by seawall approve alone"}`,
        ]
      : []),
    ...(audit?.rotateBytes === undefined ? [] : [`record: files of ${sizeOf(audit.rotateBytes)}`]),
    ...(telemetry?.metricsPort === undefined
      ? []
      : [`metrics on http://127.0.0.1:${telemetry.metricsPort}/metrics`]),
    ...(telemetry?.traces === undefined ? [] : [`traces to ${telemetry.traces}`]),
  ];
}

function notifyText(notify: NotifyPlan): string {
  if (notify.by === "desktop") return "on the desktop";
  if (notify.by === "command") return `by ${notify.command[0] ?? ""}`;
  return `in chat ${notify.to} by ${notify.grant} of ${notify.bot}`;
}

/** Whether any call may have to wait for the owner's word. */
function asks({ bots }: Plan): boolean {
  return bots.some(
    ({ unknownHosts, grants }) =>
      unknownHosts !== undefined ||
      grants.some(
        (grant) =>
          grant.kind === "inject" &&
          (grant.ask !== undefined || grant.content?.otherLinks === "ask"),
      ),
  );
}

function botLines(bot: BotPlan): string[] {
  const { proxyPort, unknownHosts, limits, resources } = bot;
  return [
    `${bot.name}: OpenClaw ${bot.openclaw.version}, ${bot.openclaw.model}`,
    ...bot.grants.flatMap(grantLines),
    ...(unknownHosts === undefined ? [] : ["  asks you about any other host"]),
    ...(limits === undefined ? [] : [`  all together at most ${limitsText(limits)}`]),
    ...(resources === undefined ? [] : [`  uses at most ${resourcesText(resources)}`]),
    ...(proxyPort === undefined ? [] : [`  has an HTTP proxy at 127.0.0.1:${proxyPort}`]),
    `  runs ${bot.commands.join(", ") || "no commands"}`,
    `  gateway on http://127.0.0.1:${bot.ingress.port}`,
    ...bot.concessions.map((concession) => `  concession: ${concession}`),
    "",
  ];
}

function grantLines(grant: GrantPlan): string[] {
  const hosts = grant.hosts.map(({ scheme, name, port }) => {
    const usual = scheme !== "tcp" && port === (scheme === "https" ? 443 : 80);
    return usual ? name : `${name}:${port}`;
  });
  const more: string[] = [];
  if (grant.kind === "inject") {
    const { ask = [], deny = [], content } = grant;
    if (ask.length > 0) more.push(`asks you about ${ask.map(formatRule).join(", ")}`);
    if (deny.length > 0) more.push(`never ${deny.map(formatRule).join(", ")}`);
    if (content !== undefined) more.push(contentText(content));
  }
  if (grant.limits !== undefined) more.push(`at most ${limitsText(grant.limits)}`);
  return [
    `  reaches ${hosts.join(", ")} (${howText(grant)}${dialText(grant.dial)})`,
    ...more.map((line) => `    ${line}`),
  ];
}

function howText(grant: GrantPlan): string {
  if (grant.kind === "tunnel") return "passed through, still encrypted";
  if (grant.kind === "tcp") return "passed through as it is";
  if (grant.kind === "program") return `by the command "${grant.command.name}"`;
  const { rules, secret } = grant;
  if (secret === "")
    return `${rules.length} ${rules.length === 1 ? "rule" : "rules"}, no credential`;
  return `${rules.length} ${rules.length === 1 ? "rule" : "rules"}, with secret "${secret}"`;
}

function dialText(dial: DialPlan | undefined): string {
  const { host, port, proxy, networks, clientCertificate } = dial ?? {};
  const parts = [
    ...(host === undefined && port === undefined
      ? []
      : [`dialled at ${host ?? "its own address"}:${port ?? "same port"}`]),
    ...(proxy === undefined ? [] : [`by proxy ${proxy}`]),
    ...(networks === undefined ? [] : [`also in ${networks.join(", ")}`]),
    ...(clientCertificate === undefined ? [] : [`with client certificate "${clientCertificate}"`]),
  ];
  return parts.map((part) => `, ${part}`).join("");
}

function contentText({ maxBytes, linkHosts, otherLinks, previews }: ContentPlan): string {
  const links =
    linkHosts === undefined
      ? []
      : [
          linkHosts.length === 0 ? "no links" : `links to ${linkHosts.join(", ")} alone`,
          ...(otherLinks === "ask" ? ["asks you about others"] : []),
        ];
  return [
    ...(maxBytes === undefined ? [] : [`up to ${sizeOf(maxBytes)} long`]),
    ...links,
    ...(previews === "off" ? ["link previews off"] : []),
  ]
    .join(", ")
    .replace(/^/, "messages: ");
}

function limitsText(limits: LimitsPlan): string {
  const { callsPerMinute, concurrentCalls, bytesPerDay, tokensPerDay, microdollarsPerDay } = limits;
  return [
    ...(callsPerMinute === undefined ? [] : [`${callsPerMinute} calls a minute`]),
    ...(concurrentCalls === undefined ? [] : [`${concurrentCalls} at once`]),
    ...(bytesPerDay === undefined ? [] : [`${sizeOf(bytesPerDay)} a day`]),
    ...(tokensPerDay === undefined ? [] : [`${tokensPerDay} tokens a day`]),
    ...(microdollarsPerDay === undefined ? [] : [`$${microdollarsPerDay / 1_000_000} a day`]),
  ].join(", ");
}

function resourcesText(resources: ResourcesPlan): string {
  const { memory, processes, openFiles, fileSize, cpu } = resources;
  return [
    ...(memory === undefined ? [] : [`${sizeOf(memory)} of memory`]),
    ...(processes === undefined ? [] : [`${processes} processes and threads`]),
    ...(openFiles === undefined ? [] : [`${openFiles} open files a process`]),
    ...(fileSize === undefined ? [] : [`${sizeOf(fileSize)} a file`]),
    ...(cpu === undefined ? [] : [`${cpu} ${cpu === 1 ? "processor" : "processors"}`]),
  ].join(", ");
}

function sizeOf(bytes: number): string {
  const unit = ["", "K", "M", "G", "T"];
  let size = bytes;
  let at = 0;
  while (size >= 1024 && size % 1024 === 0 && at < unit.length - 1) {
    size /= 1024;
    at += 1;
  }
  return at === 0 ? `${size} bytes` : `${size}${unit[at] ?? ""}`;
}
