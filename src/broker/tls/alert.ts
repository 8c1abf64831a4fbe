/** RFC 8446 section 6.2. */
const ALERTS = {
  handshake_failure: 40,
  access_denied: 49,
  missing_extension: 109,
  unrecognized_name: 112,
} as const;

/** A fatal alert in a record of its own, as it goes out before any handshake. */
export function fatalAlert(name: keyof typeof ALERTS): Buffer {
  return Buffer.from([21, 3, 3, 0, 2, 2, ALERTS[name]]);
}
