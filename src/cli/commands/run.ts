import type { Command } from "../Command.ts";
import { RUN_OPTIONS } from "../run/parseRun.ts";

const path = (help: string) => ({ type: "string", multiple: true, value: "PATH", help }) as const;

/** The flags' meaning; how they are read stands in `run/parseRun.ts`. */
const OPTIONS = {
  profile: {
    ...RUN_OPTIONS.profile,
    value: "NAME|FILE",
    help: "start from this profile; see: seawall profile list",
  },
  allow: path("read and write a folder or file"),
  read: path("read it"),
  write: path("write it, without reading"),
  "allow-file": path("like --allow, for a single file"),
  "read-file": path("like --read, for a single file"),
  "write-file": path("like --write, for a single file"),
  "allow-cwd": { type: "boolean", help: "read and write the working folder" },
  workdir: { type: "string", value: "PATH", help: "the working folder, if not the current one" },
  "allow-command": {
    type: "string",
    multiple: true,
    value: "NAME",
    help: "another command that exists inside",
  },
  "allow-library": path("a folder or file with machine code that programs may load"),
  env: {
    type: "string",
    multiple: true,
    value: "NAME[=VALUE]",
    help: "pass a variable on, or set it",
  },
  credential: {
    type: "string",
    multiple: true,
    value: "SERVICE",
    help: "calls to a service get its secret; the command holds a phantom",
  },
  "env-credential": {
    type: "string",
    multiple: true,
    value: "SECRET[,SECRET]",
    help: "the same, by the secret's name: a phantom in the variable SECRET",
  },
  "allow-domain": {
    type: "string",
    multiple: true,
    value: "HOST",
    help: "reach a host at port 443, passed through after a look at the server name",
  },
  "deny-domain": {
    type: "string",
    multiple: true,
    value: "HOST",
    help: "don't reach it, whatever else says so",
  },
  "block-net": { type: "boolean", help: "no network at all, whatever the profile says" },
  "listen-port": {
    type: "string",
    multiple: true,
    value: "PORT",
    help: "127.0.0.1:PORT of this host leads to that port inside",
  },
  "proxy-port": {
    type: "string",
    value: "PORT",
    help: "the broker is an HTTP proxy at that port inside, too",
  },
  memory: { type: "string", value: "SIZE", help: 'at most this much memory, as "2G"' },
  "max-processes": { type: "string", value: "N", help: "at most this many processes and threads" },
  "max-open-files": { type: "string", value: "N", help: "each process opens at most this many" },
  "max-file-size": { type: "string", value: "SIZE", help: 'no file grows past this, as "2G"' },
  concede: {
    type: "string",
    multiple: true,
    value: "NAME",
    help: "go without no-user-namespaces or no-landlock where this host lacks it",
  },
  "dry-run": { type: "boolean", help: "say what would be allowed, by which rule; run nothing" },
  explain: {
    type: "boolean",
    help: "watch which files are asked for in vain (needs strace; slower)",
  },
  "save-profile": {
    type: "string",
    value: "NAME",
    help: "keep these flags as a profile of your own",
  },
} as const satisfies Command["options"];

export const run: Command = {
  name: "run",
  usage: "[FLAGS] -- COMMAND …",
  summary: "run one command behind the wall",
  help: [
    "The command sees the system's libraries, itself and what is granted; no network, no Unix socket",
    "of the host, and a short list of variables. It has this terminal, gets the signals that this",
    "process gets, and its exit code is passed on (128 + signal if it was killed; 126 if the wall",
    "refused it). What the wall refused is explained when it ends.",
    "",
    "  seawall run --profile node --allow-cwd -- node build.js",
    "  seawall run --profile openclaw --credential anthropic --listen-port 18789 -- \\",
    "    openclaw gateway run",
    "",
    "docs/run.md says more.",
  ].join("\n"),
  options: OPTIONS,
  words: { least: 0, most: Number.POSITIVE_INFINITY },
  run: () => Promise.resolve(0),
  raw: async (args) => {
    const { runMain } = await import("../run/runMain.ts");
    return runMain(args);
  },
};
