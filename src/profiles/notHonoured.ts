/**
 * Keys of nono's profiles that mean something Seawall doesn't do, by path: why, and what to do
 * instead. Source: nono's documentation, "Profiles & Groups" and "Profile Authoring".
 */
export const NOT_HONOURED: Readonly<Record<string, readonly [why: string, hint: string]>> = {
  groups: [
    "groups are lists that nono brings along",
    "name the paths themselves; keys and settings of the owner are protected without it",
  ],
  security: [
    "groups and modes of nono's own are not known here",
    "remove it: processes, signals and IPC are always isolated",
  ],
  commands: [
    "commands that are not granted don't exist inside, so there is nothing to deny",
    "grant commands with exec.allow",
  ],
  hooks: ["Seawall changes no program's settings", "remove it"],
  rollback: ["Seawall takes no snapshots", "remove it, and commit your work first"],
  binary: ["a profile doesn't choose what runs", "name the command after --"],
  allow_gpu: ["no device of the host is visible inside", "remove it"],
  allow_launch_services: ["nothing outside can be started from inside", "remove it"],
  open_urls: ["nothing outside can be started from inside", "remove it"],
  credential_capture: [
    "no command is run for a secret here",
    "store it with: seawall secret set NAME",
  ],
  "network.network_profile": [
    "lists of hosts that nono brings along are not known here",
    "name the hosts in network.allow_domain",
  ],
  "network.open_port": [
    "the host's own loopback can't be reached from inside",
    "name what is needed in network.allow_domain",
  ],
  "network.upstream_proxy": [
    "the way out is the declaration's business",
    "declare it under dial, see docs/declaration.md",
  ],
  "network.proxy_allow": ["it has another name now", "write network.allow_domain"],
  "network.proxy_credentials": ["it has another name now", "write network.credentials"],
  ...Object.fromEntries(
    ["", "_bind", "_dir", "_dir_bind", "_subtree", "_subtree_bind"].map((end) => [
      `filesystem.unix_socket${end}`,
      ["no Unix socket of the host is visible inside", "remove it"] as const,
    ]),
  ),
};
