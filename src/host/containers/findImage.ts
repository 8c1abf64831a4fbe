import { execFile } from "node:child_process";
import { homedir } from "node:os";
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

/** Where Podman of whoever runs this may be told to keep its images. */
const PLACES = ["CONTAINERS_STORAGE_CONF", "XDG_CONFIG_HOME", "XDG_DATA_HOME", "XDG_RUNTIME_DIR"];

/** What Podman needs to find the images of whoever runs this, and nothing that might hold a secret. */
export function ownerEnvironment(): Record<string, string> {
  const given = PLACES.flatMap((name) => {
    const value = process.env[name];
    return value === undefined ? [] : [[name, value] as const];
  });
  return {
    PATH: process.env["PATH"] ?? "/usr/bin:/bin",
    HOME: ownHome(),
    LANG: "C.UTF-8",
    ...Object.fromEntries(given),
  };
}

function ownHome(): string {
  try {
    return homedir();
  } catch {
    // Whom nobody has given a name.
    return "/";
  }
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
