import { SeawallError, type ExitCode } from "../faults/index.ts";

export type OpenClawErrorCode =
  /** The declared version has no folder under `pins/openclaw`. */
  | "no-pin"
  /** A pin's files can't be read or contradict each other. */
  | "bad-pin"
  /** The registry knows no such version. */
  | "unknown-version"
  /** The registry can't be reached or refuses to answer. */
  | "registry"
  /** There is no `npm` on PATH. */
  | "npm-missing"
  /** npm failed for another reason. */
  | "npm-failed"
  /** What was installed is not what the pin names. */
  | "wrong-hash"
  | "disk-full"
  /** The store folder can't be made, read or written. */
  | "store"
  /** No hash is pinned for this kind of machine. */
  | "unsupported-platform"
  /** OpenClaw refuses to run with this Node. */
  | "node-unsupported"
  /** The pinned OpenClaw refuses the rendered configuration. */
  | "config-refused"
  /** OpenClaw itself failed in a way that says nothing about the configuration. */
  | "openclaw-failed"
  /** The plugin has no version in the pin, or what is installed is another one. */
  | "plugin";

const EXIT_CODES: Readonly<Record<OpenClawErrorCode, ExitCode>> = {
  "no-pin": 3,
  "bad-pin": 5,
  "unknown-version": 3,
  registry: 5,
  "npm-missing": 4,
  "npm-failed": 5,
  "wrong-hash": 5,
  "disk-full": 5,
  store: 5,
  "unsupported-platform": 4,
  "node-unsupported": 4,
  "config-refused": 3,
  "openclaw-failed": 5,
  plugin: 5,
};

/** Whatever goes wrong with pins, installs and OpenClaw's own commands. */
export class OpenClawError extends SeawallError<OpenClawErrorCode> {
  get exitCode(): ExitCode {
    return EXIT_CODES[this.code];
  }
}
