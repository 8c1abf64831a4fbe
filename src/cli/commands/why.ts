import { existsSync, lstatSync, realpathSync } from "node:fs";
import { basename, dirname, join, resolve } from "node:path";
import { botRulebook, declaredBots, grantedHosts } from "../../host/index.ts";
import {
  decideConnect,
  decideExec,
  decideFile,
  describePlace,
  emptyProfile,
  type Rulebook,
  type Verdict,
} from "../../profiles/index.ts";
import { prepareRun, rulebookOf } from "../../run/index.ts";
import type { Call, Command } from "../Command.ts";
import { UsageError } from "../UsageError.ts";

const ACTS = ["read", "write", "connect", "exec"] as const;
type Act = (typeof ACTS)[number];

export const why: Command = {
  name: "why",
  usage: "(read PATH | write PATH | connect HOST[:PORT] | exec COMMAND) [--profile P | --bot BOT]",
  summary: "whether something is allowed inside, and by which rule",
  help: [
    "Answers from the policy that would be enforced, without running anything: for a command with a",
    "profile, as seawall run has it, or for a bot of the declaration. With neither, for the bot if",
    "the declaration here has a single one, else for seawall run without a profile; it says for whom.",
    "A bot's paths are told as they are inside. Exit code 0: allowed, 1: not.",
  ].join("\n"),
  options: {
    profile: { type: "string", short: "p", value: "NAME|FILE", help: "a profile of seawall run" },
    bot: { type: "string", value: "BOT", help: "a bot of the declaration" },
    file: { type: "string", value: "FILE", help: "the declaration, if not the usual one" },
    workdir: { type: "string", value: "PATH", help: "the working folder, if not the current one" },
  },
  words: { least: 2, most: 2 },
  run: async (call) => {
    const [act, what] = call.words;
    if (!isAct(act) || what === undefined || what === "" || what.includes("\0"))
      throw new UsageError(`usage: seawall why ${why.usage}`, "type: seawall why --help");
    if (call.value("profile") !== undefined && call.value("bot") !== undefined)
      throw new UsageError("a profile and a bot are two things to ask about", "name one of them");
    const asked = askedAbout(call);
    const ofBot = asked.kind === "bot";
    const book = ofBot
      ? await botRulebook(call.value("file"), asked.name, process.env)
      : await profileBook(call);
    const verdict = decide(book, act, what, ofBot);
    const place = verdict.origin === undefined ? undefined : await describePlace(verdict.origin);
    if (call.json) {
      const { allowed, reason, flag } = verdict;
      call.output.json({
        allowed,
        act,
        what,
        for: asked.text,
        reason,
        ...(place === undefined ? {} : { rule: place }),
        ...(flag === undefined || ofBot ? {} : { flag }),
      });
    } else {
      call.output.line(`${verdict.allowed ? "allowed" : "refused"}: ${act} ${what}`);
      call.output.line(`  for ${asked.text}`);
      call.output.line(`  ${verdict.reason}`);
      if (place !== undefined) call.output.line(`  by ${place}`);
      if (verdict.flag !== undefined && !ofBot)
        call.output.line(`  would be allowed by: ${verdict.flag}`);
    }
    return verdict.allowed ? 0 : 1;
  },
};

type Asked =
  | { readonly kind: "bot"; readonly name: string | undefined; readonly text: string }
  | { readonly kind: "run"; readonly text: string };

/** Whom a question is about. A profile or working folder that is named is one of `seawall run`. */
function askedAbout(call: Call): Asked {
  const [profile, name, file] = [call.value("profile"), call.value("bot"), call.value("file")];
  if (name !== undefined) return { kind: "bot", name, text: `bot "${name}"` };
  if (file !== undefined) return { kind: "bot", name, text: `the only bot of ${file}` };
  if (profile !== undefined)
    return { kind: "run", text: `seawall run with the profile "${profile}"` };
  const plain = "seawall run without a profile";
  if (call.value("workdir") !== undefined) return { kind: "run", text: plain };
  const [bot, ...others] = declaredBots(process.env);
  if (bot === undefined) return { kind: "run", text: plain };
  if (others.length > 0)
    return { kind: "run", text: `${plain}; for a bot of ${bot.file}, name it with --bot` };
  return { kind: "bot", name: bot.name, text: `bot "${bot.name}", the only one of ${bot.file}` };
}

async function profileBook(call: Call): Promise<Rulebook> {
  const profile = call.value("profile");
  const prepared = await prepareRun(
    {
      ...(profile === undefined ? {} : { profile }),
      flags: emptyProfile("command line"),
      command: ["true"],
      workdir: resolve(call.value("workdir") ?? "."),
    },
    {
      env: process.env,
      make: false,
      terminal: false,
      own: { state: call.paths.root, store: call.paths.store },
    },
  );
  const book = rulebookOf(prepared, await grantedHosts(prepared.policy, process.env));
  // Asked about is a profile, not the command that stands for any.
  return { ...book, programs: book.programs.filter(({ origin }) => origin.kind !== "always") };
}

function decide(book: Rulebook, act: Act, what: string, ofBot: boolean): Verdict {
  switch (act) {
    case "read":
    case "write":
      return decideFile(book, act, ofBot ? resolve("/", what) : follow(resolve(expandHome(what))));
    case "exec":
      return decideExec(book, what.includes("/") && !ofBot ? resolve(what) : what);
    case "connect": {
      const [, host = what, port] = /^\[?([^\]]*?)\]?(?::(\d{1,5}))?$/.exec(what) ?? [];
      return decideConnect(book, host, port === undefined ? 443 : Number(port));
    }
    default:
      return act satisfies never;
  }
}

function isAct(act: string | undefined): act is Act {
  return ACTS.some((each) => each === act);
}

/** Quoted for the shell, it comes as it is. */
function expandHome(path: string): string {
  return path === "~" || path.startsWith("~/")
    ? `${process.env["HOME"] ?? ""}${path.slice(1)}`
    : path;
}

/** Links followed as far as there is something. */
function follow(path: string): string {
  if (path === "/") return path;
  if (existsSync(path)) return realpathSync(path);
  if (lstatSync(path, { throwIfNoEntry: false }) !== undefined) return path;
  return join(follow(dirname(path)), basename(path));
}
