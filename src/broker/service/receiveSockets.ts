import { BrokerError } from "../BrokerError.ts";

/** SD_LISTEN_FDS_START of sd_listen_fds(3). */
const FIRST = 3;

/** The descriptors systemd handed over, by the name their socket unit gives them. */
export type ReceivedSockets = ReadonlyMap<string, readonly number[]>;

/**
 * Reads sd_listen_fds(3)'s variables. Those of one name are in the order of their socket unit.
 *
 * @throws BrokerError `config-invalid` when they are for another process or contradict themselves.
 */
export function receiveSockets(
  env: Readonly<Record<string, string | undefined>>,
  pid: number,
): ReceivedSockets {
  const count = env["LISTEN_FDS"] ?? "";
  const names = (env["LISTEN_FDNAMES"] ?? "").split(":");
  if (env["LISTEN_PID"] !== String(pid) || !/^[1-9]\d{0,3}$/.test(count)) {
    throw new BrokerError("config-invalid", "systemd handed over no sockets", {
      hint: "start the broker's unit, not its program",
    });
  }
  if (names.length !== Number(count)) {
    throw new BrokerError("config-invalid", "the sockets' names don't fit their number");
  }
  const sockets = new Map<string, number[]>();
  for (const [index, name] of names.entries()) {
    sockets.set(name, [...(sockets.get(name) ?? []), FIRST + index]);
  }
  return sockets;
}
