import { usualLimits } from "./usualLimits.ts";

/** The everyday commands that can't do more than the program that calls them. */
const COMMANDS = [
  "sh bash dash env printenv true false test [ expr sleep timeout date echo printf yes seq",
  "ls dir stat file du df find xargs cat tac head tail less more tee wc nl od hexdump xxd strings",
  "cp mv rm mkdir rmdir ln touch chmod mktemp realpath readlink basename dirname pwd which",
  "grep egrep fgrep sed awk gawk mawk sort uniq cut paste tr comm join split fold fmt rev column",
  "diff cmp patch sha256sum sha1sum md5sum cksum base64 tar gzip gunzip zcat bzip2 xz zstd unzip zip",
  "git jq rg fd curl wget tput stty tty clear id whoami uname hostname nproc arch kill ps",
].flatMap((line) => line.split(" "));

/** A shell and everyday commands, reading the folder they are called in. */
export const shell = {
  meta: { name: "shell", description: "a shell and everyday commands, reading the current folder" },
  workdir: { access: "read" },
  exec: { allow: [...COMMANDS, "/usr/lib/git-core", "/usr/libexec/git-core"] },
  limits: usualLimits,
};
