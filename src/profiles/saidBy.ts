import { FILESYSTEM_KEYS, type Entry, type Origin, type Profile } from "./Profile.ts";

/** One thing that a profile says, for people. */
export interface Said {
  /** As `filesystem.read`. */
  readonly key: string;
  readonly value: string;
  readonly origin: Origin;
}

/** Everything a profile says, in the order of its keys, what is said twice once. */
export function saidBy(profile: Profile): readonly Said[] {
  const { filesystem, network, exec, environment, limits } = profile;
  const each = <T>(
    key: string,
    entries: readonly (Entry<T> | undefined)[],
    text: (value: T) => string = String,
  ): Said[] =>
    entries.flatMap((entry) =>
      entry === undefined ? [] : [{ key, value: text(entry.value), origin: entry.origin }],
    );
  const said = [
    ...FILESYSTEM_KEYS.flatMap((key) => each(`filesystem.${key}`, filesystem[key])),
    ...each("workdir.access", [profile.workdir]),
    ...each("network.block", [network.block]),
    ...each("network.allow_domain", network.allowDomain),
    ...each("network.deny_domain", network.denyDomain),
    ...each("network.credentials", network.credentials),
    ...each(
      "network.custom_credentials",
      network.custom,
      ({ name, upstream }) => `${name} at ${upstream}`,
    ),
    ...each("network.listen_port", network.listenPort),
    ...each("network.bind", network.bind),
    ...each("network.proxy_port", [network.proxyPort]),
    ...each(
      "env_credentials",
      profile.environmentCredentials,
      ({ secret, variable }) => `${secret} in ${variable}`,
    ),
    ...each("exec.allow", exec.allow),
    ...each("exec.libraries", exec.libraries),
    ...each("environment.allow_vars", environment.allow),
    ...each("environment.set", environment.set, ({ name, value }) => `${name}=${value}`),
    ...each("limits.memory", [limits.memory]),
    ...each("limits.processes", [limits.processes]),
    ...each("limits.openFiles", [limits.openFiles]),
    ...each("limits.fileSize", [limits.fileSize]),
    ...each("concessions", profile.concessions),
  ];
  return [...new Map(said.map((one) => [`${one.key} ${one.value}`, one])).values()];
}
