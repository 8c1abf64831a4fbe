/**
 * What systemd sets for a process of ours that it starts by sockets, watches, and tells where its configuration is
 * (sd_listen_fds(3), sd_watchdog_enabled(3)).
 *
 * @param own the variable with the configuration's path, and others that this one has.
 */
export function activationVariables(...own: readonly string[]): readonly string[] {
  return ["LISTEN_FDNAMES", "LISTEN_FDS", "LISTEN_PID", "WATCHDOG_USEC", ...own].toSorted();
}
