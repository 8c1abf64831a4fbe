import { runDemo, type DemoReport } from "../../demo/index.ts";
import { latestPin } from "../../openclaw/index.ts";
import type { Command } from "../Command.ts";

export const demo: Command = {
  name: "demo",
  usage: "",
  summary: "a real bot behind the wall with throw-away keys, searched for them afterwards",
  help: [
    "Needs no keys and no network but for bringing OpenClaw: local stand-ins take the place of",
    "Anthropic and Telegram and accept only two random keys, which go into a vault. A message is",
    "sent and answered; then the memory, environment, arguments and files of every process inside",
    "the wall are searched for both, and for the worthless one that the bot has, which must be found.",
    "Exit 0 only if the reply came and nothing else was found.",
    "Nothing is left behind but OpenClaw in the store.",
  ].join("\n"),
  options: {},
  words: { least: 0, most: 0 },
  run: async ({ output, paths, json }) => {
    const report = await runDemo({
      openclaw: latestPin(),
      store: paths.store,
      onProgress: output.progress,
    });
    if (json) output.json(report);
    else for (const line of reportLines(report)) output.line(line);
    return report.ok ? 0 : 1;
  },
};

function reportLines({
  reply,
  openclaw,
  searched,
  unread,
  found,
  phantomIn,
  wall,
  seconds,
}: DemoReport): string[] {
  const megabytes = Math.round(searched.bytesOfMemory / 1e6);
  return [
    "",
    `OpenClaw ${openclaw} answered through Telegram: ${reply}`,
    `searched: ${searched.processes} processes, ${megabytes} MB of memory, ${searched.environments} environments, ${searched.files} files`,
    ...unread.map((what) => `could not be read: ${what}`),
    `wall: ${Object.entries(wall)
      .map(([name, state]) => `${name} ${state}`)
      .join(", ")}`,
    `places where the search found the worthless key that the bot has: ${phantomIn}`,
    `real values found: ${found.length}`,
    ...found.map(({ name, where }) => `  ${name} in ${where}`),
    `took ${seconds} s`,
  ];
}
