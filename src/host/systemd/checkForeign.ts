import { lstatSync, readFileSync, readlinkSync } from "node:fs";
import { createServer } from "node:net";
import { join } from "node:path";
import type { Plan } from "../../plan/index.ts";
import {
  botUser,
  BRIDGE_USER,
  brokerUser,
  browserUser,
  gateUser,
  hasBridge,
  metricsPort,
  TARGET_UNIT,
} from "../../targets/index.ts";
import { HostError } from "../HostError.ts";
import type { SystemUser } from "./privateFiles.ts";
import type { SystemPaths } from "./systemPaths.ts";

/** Where systemd looks for units (systemd.unit(5)); the first is where our links go. */
const ELSEWHERE = [
  "/run/systemd/system",
  "/usr/local/lib/systemd/system",
  "/usr/lib/systemd/system",
  "/lib/systemd/system",
];

/** Links besides those of the units, by the place they stand at. */
export function otherLinks({ current, units }: SystemPaths): ReadonlyMap<string, string> {
  return new Map([
    ["/etc/sysusers.d/seawall.conf", `${current}/sysusers.conf`],
    ["/etc/tmpfiles.d/seawall.conf", `${current}/tmpfiles.conf`],
    [`${units}/multi-user.target.wants/${TARGET_UNIT}`, `${units}/${TARGET_UNIT}`],
  ]);
}

/**
 * That no unit, link or user that we would make is somebody else's: what isn't ours is never
 * touched.
 *
 * @throws HostError `not-ours`
 */
export function checkForeign(paths: SystemPaths, units: readonly string[], plan: Plan): void {
  for (const unit of units) {
    const ours = `${paths.current}/units/${unit}`;
    checkPlace(join(paths.units, unit), ours);
    for (const folder of ELSEWHERE) checkPlace(join(folder, unit), ours);
  }
  for (const [place, target] of otherLinks(paths)) checkPlace(place, target);
  const names = new Map(readUsers().map((user) => [user.name, user]));
  const isForeign = (user: string): boolean =>
    names.get(user)?.comment.startsWith("Seawall ") === false;
  for (const { name } of plan.bots) {
    const users = [botUser(name), brokerUser(name), gateUser(name), browserUser(name)];
    const user = users.find((each) => isForeign(each));
    if (user === undefined) continue;
    throw new HostError("not-ours", `there is a user "${user}" that Seawall didn't make`, {
      hint: `give bot "${name}" another name, or remove that user`,
    });
  }
  if (plan.bots.some((bot) => hasBridge(bot)) && isForeign(BRIDGE_USER))
    throw new HostError("not-ours", `there is a user "${BRIDGE_USER}" that Seawall didn't make`, {
      hint: "remove that user, or leave the bridge out",
    });
}

function checkPlace(place: string, ours: string): void {
  let target: string | undefined;
  try {
    target = lstatSync(place).isSymbolicLink() ? readlinkSync(place) : "";
  } catch {
    return;
  }
  if (target === ours) return;
  throw new HostError("not-ours", `"${place}" is there already, and Seawall didn't make it`, {
    where: place,
    hint: "rename or remove it, or give the bot another name; it was not touched",
  });
}

/**
 * That nobody else listens where the bots will.
 *
 * @param held ports that the generation in force has
 * @throws HostError `port-taken`
 */
export async function checkPorts(plan: Plan, held: ReadonlySet<number>): Promise<void> {
  for (const port of portsOf(plan)) {
    if (held.has(port) || (await isFree(port))) continue;
    throw new HostError("port-taken", `something else listens on 127.0.0.1:${port}`, {
      hint: `stop it (ss -ltnp 'sport = ${port}' names it), or declare another port`,
    });
  }
}

export function portsOf(plan: Plan): number[] {
  return plan.bots.flatMap(({ name, ingress }) => [
    ingress.port,
    ...[metricsPort(plan, name) ?? []].flat(),
  ]);
}

function isFree(port: number): Promise<boolean> {
  return new Promise((resolve) => {
    const server = createServer();
    server.once("error", () => resolve(false));
    server.listen(port, "127.0.0.1", () => server.close(() => resolve(true)));
  });
}

interface PasswdEntry extends SystemUser {
  readonly name: string;
  readonly comment: string;
}

/** Of passwd(5), since sysusers.d(5) makes local users only. */
export function readUsers(): PasswdEntry[] {
  return readFileSync("/etc/passwd", "utf8")
    .split("\n")
    .flatMap((line) => {
      const [name = "", , uid = "", gid = "", comment = ""] = line.split(":");
      return name === "" ? [] : [{ name, uid: Number(uid), gid: Number(gid), comment }];
    });
}
