/** A program whose grant amounts to more than its name says. */
export interface WideProgram {
  /** Names of the command, or of the file that it is. */
  readonly names: RegExp;
  /** What a bot that was taken over can do with it, as the end of "granting it lets the bot …". */
  readonly amounts: string;
}

const ANY_TEXT =
  "run any program that it can write as text, without any of its own having to be code";

/** Source for most: https://gtfobins.github.io, functions "shell" and "command"; each has a manual page. */
export const WIDE_PROGRAMS: readonly WideProgram[] = [
  { names: /^(?:ba|da|z|k|c|tc|fi)?sh$/u, amounts: `${ANY_TEXT} (a shell)` },
  { names: /^(?:node|nodejs|deno|bun)$/u, amounts: `${ANY_TEXT} (JavaScript)` },
  { names: /^python[\d.]*$/u, amounts: `${ANY_TEXT} (Python; ctypes calls any library)` },
  { names: /^(?:perl|ruby|lua|php|tclsh|guile|R|Rscript)[\d.]*$/u, amounts: ANY_TEXT },
  { names: /^(?:java|erl|elixir|ghc|runghc|go|cargo|rustc)$/u, amounts: ANY_TEXT },
  {
    names: /^(?:gcc|cc|g\+\+|clang|tcc|as|ld|gold)(?:-[\d.]+)?$/u,
    amounts: "make native programs; they can't be executed, but for what an interpreter loads",
  },
  {
    names: /^[gmn]?awk$/u,
    amounts: "run any granted command and write any file, by system() and redirections (awk)",
  },
  { names: /^(?:g?sed)$/u, amounts: "run any granted command, by the command e (GNU sed)" },
  { names: /^(?:find|fd|fdfind)$/u, amounts: "run any granted command, by -exec" },
  {
    names:
      /^(?:xargs|env|nice|nohup|timeout|time|watch|setsid|stdbuf|flock|parallel|script|expect)$/u,
    amounts: "run any granted command: that is what it is for",
  },
  {
    names: /^(?:busybox|toybox|coreutils)$/u,
    amounts: "run everything that is built into it, a shell and network tools included",
  },
  {
    names: /^(?:git|hg|svn)$/u,
    amounts: "run any granted command, by aliases, hooks, filters and its editor (git-config)",
  },
  {
    names: /^(?:ssh|scp|sftp|rsync|mosh)$/u,
    amounts: "run any granted command, by ProxyCommand or -e; what it reaches is what is granted",
  },
  {
    names: /^(?:tar|bsdtar|gtar|zip|7z|cpio)$/u,
    amounts: "run any granted command, by --checkpoint-action, --to-command or -TT",
  },
  {
    names: /^(?:vim?|nvim|view|vimdiff|emacs|nano|ed|ex)(?:\.\w+)?$/u,
    amounts: "run any granted command from inside the editor",
  },
  {
    names: /^(?:less|more|most|man|info)$/u,
    amounts: "run any granted command, by ! or its editor",
  },
  {
    names: /^(?:make|gmake|ninja|cmake|rake|just)$/u,
    amounts: "run any granted command: that is what a build does",
  },
  {
    names: /^(?:npm|npx|pnpm|yarn|pip3?|gem|uv|uvx)$/u,
    amounts: "bring programs from a registry that is granted, and run their scripts",
  },
  {
    names: /^(?:curl|wget|aria2c)$/u,
    amounts: "write any file that the bot can write; what it reaches is what is granted",
  },
  {
    names: /^(?:gdb|strace|ltrace|lldb|perf)$/u,
    amounts: "run any granted command; ptrace(2) itself is refused",
  },
  {
    names:
      /^(?:docker|podman|nerdctl|kubectl|systemctl|systemd-run|machinectl|nsenter|unshare|chroot|bwrap|sudo|su|doas|pkexec|crontab|at)$/u,
    amounts: "nothing: what it needs isn't inside the wall",
  },
  {
    names: /^(?:sqlite3|psql|mysql|mongosh|redis-cli)$/u,
    amounts: "run any granted command, by .shell or \\!",
  },
  {
    names: /^(?:ffmpeg|convert|magick|gs|pandoc|pdflatex|tex)$/u,
    amounts: "open whatever its input names: its formats can name files and addresses",
  },
];

/** Programs that are many, told apart by the name they are called by (their manual pages). */
const MANY_IN_ONE = /^(?:busybox|toybox|coreutils|uutils|u-root|box)(?:[.-].*)?$/u;

/** The file is many programs in one, of which a grant of `name` would give all. */
export function isManyInOne(name: string, file: string): boolean {
  return name !== file && MANY_IN_ONE.test(file);
}

/** What granting a command amounts to; undefined where it is no more than its name says. */
export function whatItAmountsTo(name: string, file: string): string | undefined {
  return WIDE_PROGRAMS.find(({ names }) => names.test(name) || names.test(file))?.amounts;
}
