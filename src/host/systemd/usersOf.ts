import type { Plan } from "../../plan/index.ts";
import {
  botUser,
  BRIDGE_USER,
  brokerUser,
  gateUser,
  hasBridge,
  hasBrowser,
} from "../../targets/index.ts";
import { HostError } from "../HostError.ts";
import { readUsers } from "./checkForeign.ts";
import type { SystemUser } from "./privateFiles.ts";

/** The users that sysusers.d made for each bot. @throws HostError `system-command` */
export function usersOf({ bots }: Plan): {
  readonly bots: ReadonlyMap<string, SystemUser>;
  readonly brokers: ReadonlyMap<string, SystemUser>;
  /** Of the gates before bots' browsers, by bot. */
  readonly gates: ReadonlyMap<string, SystemUser>;
  /** Where bots may write to each other. */
  readonly bridge?: SystemUser;
} {
  const known = new Map(readUsers().map((user) => [user.name, user]));
  const find = (name: string): SystemUser => {
    const user = known.get(name);
    if (user !== undefined) return user;
    throw new HostError("system-command", `systemd-sysusers did not make user "${name}"`, {
      hint: "look at: journalctl -b -u systemd-sysusers",
    });
  };
  return {
    bots: new Map(bots.map(({ name }) => [name, find(botUser(name))])),
    brokers: new Map(bots.map(({ name }) => [name, find(brokerUser(name))])),
    gates: new Map(
      bots.flatMap((bot) => (hasBrowser(bot) ? [[bot.name, find(gateUser(bot.name))]] : [])),
    ),
    ...(bots.some((bot) => hasBridge(bot)) ? { bridge: find(BRIDGE_USER) } : {}),
  };
}
