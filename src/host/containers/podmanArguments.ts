import { join } from "node:path";

/** Where the container finds the FIFOs that it is told its command by. */
const TALK = "/run/seawall";
const MiB = 1024 * 1024;
const GiB = 1024 * MiB;

/**
 * What the shell of the image does first. Until conmon has taken Podman's connection it throws away what a command
 * says (measured with 4.3: some of those that end at once said nothing), so the shell answers until it is heard.
 */
const WAIT = [
  `exec 9<${TALK}/ask`,
  'while read -r seawall <&9 && [ "$seawall" = wait ]; do echo "$1"; done',
  "exec 9<&-",
  'echo "$1 end"',
  "shift",
  `. ${TALK}/script`,
].join("\n");

/** Runtimes in the order in which they are tried. crun leaves a container in the keeper's own control group. */
export const RUNTIMES = [
  { name: "crun", options: ["--cgroups=disabled"] },
  { name: "runc", options: [] },
] as const;

export type Runtime = (typeof RUNTIMES)[number];

/** One container, for one command. */
export interface ContainerSpec {
  readonly name: string;
  readonly runtime: Runtime;
  readonly image: string;
  /** On the host; whether it is the right one is looked at before the command is told. */
  readonly workspace: string;
  /** The same inside. */
  readonly inside: string;
  /** A folder of the keeper's with two FIFOs: `ask`, and `script` for the command. */
  readonly talk: string;
  /** What the shell answers with, before it is told the command. */
  readonly word: string;
  readonly pidFile: string;
  readonly seccomp: string;
}

/**
 * What `podman` is given to run one command (podman-run(1), 4.3). Nothing in here is said by a bot but the agent's
 * name, which is one that Seawall gave; the command comes through the FIFO.
 *
 * Root inside is the bot's user outside, without a capability: what it makes in the workspace is the bot's.
 */
export function podmanArguments(container: ContainerSpec): readonly string[] {
  const { name, runtime, image, workspace, inside, talk, word, pidFile, seccomp } = container;
  return [
    "--runtime",
    runtime.name,
    "run",
    "--rm",
    "--interactive",
    "--pull=never",
    `--name=${name}`,
    `--pidfile=${pidFile}`,
    ...runtime.options,
    // Nothing of the network, and no other namespace of the host's.
    "--network=none",
    "--no-hosts",
    "--ipc=private",
    "--pid=private",
    "--uts=private",
    "--hostname=agent",
    "--user=0:0",
    "--cap-drop=all",
    "--security-opt=no-new-privileges",
    `--security-opt=seccomp=${seccomp}`,
    // No part of the image can be changed, nor does it bring folders, checks or services of its own.
    "--read-only",
    "--read-only-tmpfs=false",
    "--image-volume=ignore",
    "--no-healthcheck",
    "--systemd=false",
    "--sdnotify=ignore",
    "--http-proxy=false",
    "--log-driver=none",
    "--stop-timeout=0",
    `--tmpfs=/tmp:rw,nosuid,nodev,size=${256 * MiB},mode=1777`,
    `--shm-size=${16 * MiB}`,
    "--ulimit=core=0:0",
    "--ulimit=nofile=4096:4096",
    "--ulimit=nproc=512:512",
    `--ulimit=fsize=${16 * GiB}:${16 * GiB}`,
    `--volume=${workspace}:${inside}:rw,nosuid,nodev,rprivate,bind`,
    `--volume=${talk}:${TALK}:ro,nosuid,nodev,noexec,rprivate,bind`,
    `--workdir=${inside}`,
    "--entrypoint=/bin/sh",
    image,
    "-c",
    WAIT,
    "sh",
    word,
  ];
}

/** storage.conf(5): images and containers of this bot only. Whoever has one uid only gets all files of an image. */
export function storageConf(folder: string): string {
  const text = (path: string): string => JSON.stringify(path);
  return [
    "[storage]",
    'driver = "overlay"',
    `graphroot = ${text(join(folder, "store"))}`,
    `rootless_storage_path = ${text(join(folder, "store"))}`,
    `runroot = ${text(join(folder, "run", "storage"))}`,
    "[storage.options.overlay]",
    'ignore_chown_errors = "true"',
    "",
  ].join("\n");
}

/** containers.conf(5), in place of the system's and the user's: no mounts, variables or devices besides ours. */
export const CONTAINERS_CONF = [
  "[containers]",
  "http_proxy = false",
  "env_host = false",
  "[engine]",
  'cgroup_manager = "cgroupfs"',
  'events_logger = "none"',
  "",
].join("\n");
