import { dirname } from "node:path";

/** Variables of a service that runs the command line itself, as somebody at a shell would. */
export function commandEnvironment(machine: {
  readonly project: string;
  readonly node: string;
  readonly state: string;
  readonly store: string;
  /** Folders with programs of the system's, where they aren't in the usual ones. */
  readonly tools?: readonly string[];
}): Readonly<Record<string, string>> {
  const { project, node, state, store, tools = [] } = machine;
  return {
    PATH: `${tools.map((folder) => `${folder}:`).join("")}/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin:${project}/node_modules/.bin:${dirname(node)}`,
    SEAWALL_STATE: state,
    SEAWALL_STORE: store,
  };
}
