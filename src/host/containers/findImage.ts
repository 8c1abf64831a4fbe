import { execFile } from "node:child_process";
import { userInfo } from "node:os";
import { promisify } from "node:util";
import { findCommands } from "../findCommand.ts";
import { HostError } from "../HostError.ts";

const run = promisify(execFile);

/** Podman of this host. @throws HostError `no-command` */
export function findPodman(): string {
  try {
    const [found] = findCommands(["podman"], "any");
    if (found !== undefined) return found.path;
  } catch (error) {
    if (!(error instanceof HostError)) throw error;
  }
  throw new HostError(
    "no-command",
    "agents' tools in containers need Podman, which this host lacks",
    {
      hint: "install it, on Debian with: apt-get install --no-install-recommends podman crun",
    },
  );
}

/** What Podman needs to find the images of whoever runs this, and nothing that might hold a secret. */
export function ownerEnvironment(): Record<string, string> {
  const { username, homedir, uid } = userInfo();
  const runtime = process.env["XDG_RUNTIME_DIR"] ?? (uid === 0 ? undefined : `/run/user/${uid}`);
  const storage = process.env["CONTAINERS_STORAGE_CONF"];
  return {
    PATH: process.env["PATH"] ?? "/usr/bin:/bin",
    HOME: homedir,
    USER: username,
    LANG: "C.UTF-8",
    ...(runtime === undefined ? {} : { XDG_RUNTIME_DIR: runtime }),
    ...(storage === undefined ? {} : { CONTAINERS_STORAGE_CONF: storage }),
  };
}

/**
 * The id of a declared image, which Podman of whoever runs this must have already: nothing is ever fetched.
 *
 * @param image pinned: an id or a name with a digest.
 * @throws HostError `no-image`
 */
export async function findImage(podman: string, image: string, bot: string): Promise<string> {
  let said: string;
  try {
    const args = ["--log-level=fatal", "image", "inspect", "--format", "{{.Id}}", image];
    said = (await run(podman, args, { env: ownerEnvironment(), cwd: "/" })).stdout.trim();
  } catch (cause) {
    const named = image.includes("@");
    throw new HostError("no-image", `bot "${bot}" wants an image that Podman here doesn't have`, {
      where: image,
      hint: named
        ? `fetch it, as the user that runs Seawall: podman pull ${image}`
        : "fetch it by its name with podman pull, as the user that runs Seawall; podman images --no-trunc shows its id",
      cause,
    });
  }
  const id = /^(?:sha256:)?([0-9a-f]{64})$/u.exec(said)?.[1];
  if (id !== undefined) return `sha256:${id}`;
  throw new HostError("no-image", `Podman says no id of the image of bot "${bot}"`, {
    where: image,
  });
}
