import type { Entry, FilesystemKey, Profile } from "./Profile.ts";
import { FILESYSTEM_KEYS } from "./Profile.ts";

/** One profile on top of another: lists add up, a single value of `child` replaces that of `base`. */
export function mergeProfiles(base: Profile, child: Profile): Profile {
  const both = <T>(one: readonly T[], other: readonly T[]): readonly T[] => [...one, ...other];
  const block = child.network.block ?? base.network.block;
  const proxyPort = child.network.proxyPort ?? base.network.proxyPort;
  const workdir = child.workdir ?? base.workdir;
  const filesystem = Object.fromEntries(
    FILESYSTEM_KEYS.map((key) => [key, both(base.filesystem[key], child.filesystem[key])]),
  ) as unknown as Record<FilesystemKey, readonly Entry<string>[]>;
  return {
    name: child.name,
    source: child.source,
    ...(child.title === undefined ? {} : { title: child.title }),
    ...(child.description === undefined ? {} : { description: child.description }),
    ...(child.version === undefined ? {} : { version: child.version }),
    extends: child.extends,
    filesystem,
    network: {
      allowDomain: both(base.network.allowDomain, child.network.allowDomain),
      denyDomain: both(base.network.denyDomain, child.network.denyDomain),
      credentials: both(base.network.credentials, child.network.credentials),
      // A service described anew is the new one.
      custom: both(
        base.network.custom.filter(
          ({ value }) => !child.network.custom.some((other) => other.value.name === value.name),
        ),
        child.network.custom,
      ),
      listenPort: both(base.network.listenPort, child.network.listenPort),
      bind: both(base.network.bind, child.network.bind),
      ...(block === undefined ? {} : { block }),
      ...(proxyPort === undefined ? {} : { proxyPort }),
    },
    environmentCredentials: both(base.environmentCredentials, child.environmentCredentials),
    ...(workdir === undefined ? {} : { workdir }),
    exec: {
      allow: both(base.exec.allow, child.exec.allow),
      libraries: both(base.exec.libraries, child.exec.libraries),
    },
    environment: {
      allow: both(base.environment.allow, child.environment.allow),
      set: both(base.environment.set, child.environment.set),
    },
    limits: { ...base.limits, ...child.limits },
    concessions: both(base.concessions, child.concessions),
  };
}
