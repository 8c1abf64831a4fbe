import { resolve } from "node:path";
import type { Entry, Profile } from "./Profile.ts";

/**
 * The text of a profile that says what `flags` say, on top of the profile `profile`. Paths that were
 * told from the working folder become absolute.
 */
export function profileText(
  name: string,
  {
    profile,
    flags,
    workdir,
  }: { readonly profile?: string; readonly flags: Profile; readonly workdir: string },
): string {
  const values = <T>(entries: readonly Entry<T>[]): T[] => entries.map(({ value }) => value);
  const paths = (entries: readonly Entry<string>[]): string[] =>
    values(entries).map((path) => (path.startsWith(".") ? resolve(workdir, path) : path));
  const { filesystem, network, exec, environment, limits } = flags;
  const list = (key: string, items: readonly unknown[]): object =>
    items.length === 0 ? {} : { [key]: items };
  const part = (key: string, content: object): object =>
    Object.keys(content).length === 0 ? {} : { [key]: content };
  const document = {
    ...(profile === undefined ? {} : { extends: profile }),
    meta: { name },
    ...part("filesystem", {
      ...list("allow", paths(filesystem.allow)),
      ...list("read", paths(filesystem.read)),
      ...list("write", paths(filesystem.write)),
      ...list("allow_file", paths(filesystem.allow_file)),
      ...list("read_file", paths(filesystem.read_file)),
      ...list("write_file", paths(filesystem.write_file)),
    }),
    ...part("network", {
      ...(network.block === undefined ? {} : { block: network.block.value }),
      ...list("allow_domain", values(network.allowDomain)),
      ...list("deny_domain", values(network.denyDomain)),
      ...list("credentials", values(network.credentials)),
      ...list("listen_port", values(network.listenPort)),
      ...(network.proxyPort === undefined ? {} : { proxy_port: network.proxyPort.value }),
    }),
    ...part(
      "env_credentials",
      Object.fromEntries(
        flags.environmentCredentials.map(({ value }) => [value.secret, value.variable]),
      ),
    ),
    ...(flags.workdir === undefined ? {} : { workdir: { access: flags.workdir.value } }),
    ...part("exec", {
      ...list("allow", values(exec.allow)),
      ...list("libraries", paths(exec.libraries)),
    }),
    ...part("environment", {
      ...list("allow_vars", values(environment.allow)),
      ...part(
        "set",
        Object.fromEntries(environment.set.map(({ value }) => [value.name, value.value])),
      ),
    }),
    ...part(
      "limits",
      Object.fromEntries(Object.entries(limits).map(([key, { value }]) => [key, value])),
    ),
    ...list("concessions", values(flags.concessions)),
  };
  return `${JSON.stringify(document, null, 2)}\n`;
}
