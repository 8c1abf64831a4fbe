import type { Origin, Rulebook } from "../profiles/index.ts";
import type { PreparedRun } from "./prepareRun.ts";

/** Hosts that credentials lead to, with what is done there; known to whoever plans the network. */
export type GrantedHosts = Rulebook["hosts"];

/** What `seawall why` asks about one prepared command. */
export function rulebookOf({ policy, layout }: PreparedRun, credentials: GrantedHosts): Rulebook {
  const { network } = policy;
  const kernel: Origin = { kind: "always", what: "every wall" };
  return {
    places: [
      ...layout.places,
      ...["/proc", "/dev"].map((path) => ({ path, read: true, write: false, origin: kernel })),
      // A program can be read where it stands.
      ...layout.programs.map(({ path, origin }) => ({ path, read: true, write: false, origin })),
    ],
    exceptions: layout.exceptions,
    programs: layout.programs,
    hosts: [
      ...credentials,
      ...network.allowDomain.map(({ value, origin }) => ({
        name: value.toLowerCase(),
        port: 443,
        how: "passed through",
        origin,
      })),
    ],
    deniedHosts: network.denyDomain.map(({ value, origin }) => ({ name: value, origin })),
    ...(network.block?.value === true ? { blocked: network.block.origin } : {}),
  };
}
