/** Commands that only Linux has, and what they take there. */
const LINUX_ONLY: Readonly<Record<string, string>> = {
  demo: "looks into other processes by /proc",
  run: "needs namespaces",
  why: "says what seawall run would do",
  prove: "attacks from inside of a Linux wall; on macOS each bot's wall is tried at each start",
  agent: "needs namespaces",
  switch: "is for systemd",
  rollback: "is for systemd",
  generations: "is for systemd",
  update: "is for systemd",
  uninstall: "is for systemd",
};

/**
 * Refuses a command that this system can't have, before anything of it is loaded.
 *
 * @throws HostError `not-on-macos`
 */
export async function requireHere(verb: string, platform = process.platform): Promise<void> {
  if (platform !== "darwin" || !Object.hasOwn(LINUX_ONLY, verb)) return;
  const { HostError } = await import("../host/index.ts");
  throw new HostError("not-on-macos", `seawall ${verb} ${LINUX_ONLY[verb] ?? ""}`, {
    hint: "what there is on macOS is in docs/macos.md",
  });
}

/** What a person on a Mac has to know whenever bots are started; undefined elsewhere. */
export function macNote(platform = process.platform): string | undefined {
  if (platform !== "darwin") return undefined;
  return "note: Seawall was never run on a Mac by its makers; each wall is tried before its bot starts (docs/macos.md)";
}
