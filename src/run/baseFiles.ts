import { existsSync } from "node:fs";
import type { Mount } from "../wall/index.ts";

/** What many programs read of the system and nobody keeps secrets in, where it is there. */
const READABLE = [
  "/usr/share",
  "/etc/ld.so.cache",
  "/etc/localtime",
  "/etc/mime.types",
  "/etc/protocols",
  "/etc/services",
  "/etc/terminfo",
  "/etc/inputrc",
  "/etc/host.conf",
  "/etc/locale.alias",
  "/etc/ssl/openssl.cnf",
  "/etc/debian_version",
  "/etc/os-release",
];

export function readableSystemFiles(): readonly string[] {
  return READABLE.filter((path) => existsSync(path));
}

export interface Person {
  readonly uid: number;
  readonly gid: number;
  readonly name: string;
  readonly home: string;
  readonly shell: string;
}

/** The few files of /etc that the C library reads, told for one user and no other. */
export function systemFiles({ uid, gid, name, home, shell }: Person): readonly Mount[] {
  const users = [
    `${name}:x:${uid}:${gid}:${name}:${home}:${shell}`,
    ...(uid === 0 ? [] : ["root:x:0:0:root:/nonexistent:/usr/sbin/nologin"]),
    "nobody:x:65534:65534:nobody:/nonexistent:/usr/sbin/nologin",
  ];
  const groups = [`${name}:x:${gid}:`, ...(gid === 0 ? [] : ["root:x:0:"]), "nogroup:x:65534:"];
  const files: readonly (readonly [string, readonly string[]])[] = [
    ["/etc/passwd", users],
    ["/etc/group", groups],
    ["/etc/hosts", ["127.0.0.1 localhost", "::1 localhost"]],
    // Any address would do, as all are local; where there is a broker it answers at each.
    ["/etc/resolv.conf", ["nameserver 127.0.0.1", "options timeout:2 attempts:1"]],
    ["/etc/nsswitch.conf", ["passwd: files", "group: files", "hosts: files dns"]],
  ];
  return files.map(([to, lines]) => ({ kind: "file", to, text: `${lines.join("\n")}\n` }));
}
