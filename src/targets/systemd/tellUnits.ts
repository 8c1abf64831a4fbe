import type { BotPlan, Plan } from "../../plan/index.ts";
import type { TargetFile } from "../Target.ts";
import { TargetError } from "../TargetError.ts";
import { journalFields, unit } from "./brokerUnits.ts";
import { knownDirectives } from "./directives.ts";
import { HARDENING, SMALL_CALLS } from "./hardening.ts";
import { botUnits, brokerUser, SLICE_UNIT, TARGET_UNIT } from "./names.ts";
import type { SystemdSystem } from "./SystemdInput.ts";
import { plainText, plainWord, type Directives } from "./unitFile.ts";

/** Where one bot's broker tells that a call waits, besides the chats that are its own bot's. */
export interface TellPlace {
  /** For people. */
  readonly way: string;
  readonly socket: string;
  readonly path: string;
  readonly to:
    | { readonly kind: "broker"; readonly bot: string }
    | { readonly kind: "program"; readonly service: string; readonly command: readonly string[] };
}

/** In the order of the declaration; a chat's broker is told once, however many of its chats there are. */
export function tellPlaces(
  { approvals }: Plan,
  { name }: BotPlan,
  runtime: string,
  prefix = "seawall",
): TellPlace[] {
  const folder = `${runtime}/${name}/tell`;
  const places = (approvals?.notify ?? []).flatMap((way, index): TellPlace[] => {
    switch (way.by) {
      case "desktop":
        // A service has none.
        return [];
      case "chat":
        return way.bot === name
          ? []
          : [
              {
                way: `${way.grant} of ${way.bot}`,
                socket: `${prefix}-chat-${name}.${way.bot}.socket`,
                path: `${folder}/${way.bot}`,
                to: { kind: "broker", bot: way.bot },
              },
            ];
      case "command":
        return [
          {
            way: way.command[0] ?? "",
            socket: `${prefix}-program${index}-${name}.socket`,
            path: `${folder}/program${index}`,
            to: {
              kind: "program",
              service: `${prefix}-program${index}-${name}@.service`,
              command: way.command,
            },
          },
        ];
      default:
        return way satisfies never;
    }
  });
  return [...new Map(places.map((place) => [place.socket, place])).values()];
}

/** The sockets by which a bot's broker is told what its chats are to tell, and by whose bot's. */
export function toldBy(
  plan: Plan,
  { name }: BotPlan,
  prefix?: string,
): readonly { readonly bot: string; readonly socket: string }[] {
  return plan.bots.flatMap((other) =>
    tellPlaces(plan, other, "", prefix).flatMap(({ socket, to }) =>
      to.kind === "broker" && to.bot === name ? [{ bot: other.name, socket }] : [],
    ),
  );
}

/** By which one bot's broker tells: sockets of other brokers, and of programs that are started for it. */
export function tellUnits(plan: Plan, bot: BotPlan, system: SystemdSystem): TargetFile[] {
  const { prefix, paths } = system;
  return tellPlaces(plan, bot, paths.runtime, prefix).flatMap(({ socket, path, way, to }) => [
    unit(socket, [
      [
        "Unit",
        [
          ["Description", plainText(`Seawall: ${bot.name} tells by ${way}`)],
          ["PartOf", TARGET_UNIT],
        ],
      ],
      [
        "Socket",
        [
          ...(to.kind === "broker"
            ? ([
                ["Service", botUnits(to.bot, prefix).broker],
                ["FileDescriptorName", `tell.${bot.name}`],
              ] as const)
            : ([
                ["Accept", "yes"],
                ["MaxConnections", "2"],
              ] as const)),
          ["ListenStream", path],
          ["SocketUser", brokerUser(bot.name)],
          ["SocketMode", "0600"],
          ["DirectoryMode", "0711"],
          ["TriggerLimitIntervalSec", "0"],
          ["Slice", SLICE_UNIT],
        ],
      ],
    ]),
    ...(to.kind === "program" ? [programUnit(bot.name, to.service, to.command, system)] : []),
  ]);
}

/** The owner's program: nobody's user, what it reads is the question, and nothing of Seawall's is there for it. */
function programUnit(
  bot: string,
  service: string,
  [program = "", ...words]: readonly string[],
  { version }: SystemdSystem,
): TargetFile {
  const lines: Directives = [
    ["Type", "exec"],
    ["ExecStart", [plainWord(program), ...words.map(quotedWord)].join(" ")],
    ["DynamicUser", "yes"],
    ["Slice", SLICE_UNIT],
    ["StandardInput", "socket"],
    ["StandardOutput", "journal"],
    ["StandardError", "journal"],
    ["RuntimeMaxSec", "15s"],
    ["KillSignal", "SIGKILL"],
    ...HARDENING,
    ["ProtectHome", "yes"],
    ["InaccessiblePaths", "-/etc/seawall -/var/lib/seawall -/run/seawall"],
    // It may be a script of any language.
    ...SMALL_CALLS.filter(([name]) => name !== "MemoryDenyWriteExecute"),
    ["RestrictAddressFamilies", "AF_INET AF_INET6 AF_UNIX AF_NETLINK"],
    ["SocketBindDeny", "any"],
    ["DevicePolicy", "closed"],
    ["MemoryMax", "512M"],
    ["TasksMax", "64"],
    ...journalFields(bot, "program"),
  ];
  return unit(service, [
    [
      "Unit",
      [
        ["Description", plainText(`Seawall: tells that ${bot} asks`)],
        ["CollectMode", "inactive-or-failed"],
      ],
    ],
    ["Service", knownDirectives(lines, version)],
  ]);
}

/** A word of a command line that means itself (systemd.service(5), COMMAND LINES). @throws TargetError `unprintable` */
function quotedWord(word: string): string {
  if (/[^\u0020-\u007e]/.test(word))
    throw new TargetError("unprintable", "a word of approvals.notify can't stand in a unit", {
      hint: "use printable ASCII, or a script that has the word",
    });
  const escaped = word
    .replaceAll("\\", "\\\\")
    .replaceAll('"', '\\"')
    .replaceAll("$", "$$$$")
    .replaceAll("%", "%%");
  return `"${escaped}"`;
}
