import { execFile, spawn, type ChildProcess } from "node:child_process";
import { once } from "node:events";
import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { promisify } from "node:util";

const run = promisify(execFile);

/** Programs that a test with a keyring needs: Debian's dbus-daemon, dbus-bin and gnome-keyring. */
export const DESKTOP_PROGRAMS = ["dbus-daemon", "dbus-send", "gnome-keyring-daemon"];

/** A bus of its own without a service file, so that nothing but the test starts anything on it. */
const busConfig = (socket: string): string => `<!DOCTYPE busconfig PUBLIC
  "-//freedesktop//DTD D-Bus Bus Configuration 1.0//EN" "http://www.freedesktop.org/standards/dbus/1.0/busconfig.dtd">
<busconfig>
  <type>session</type>
  <listen>unix:path=${socket}</listen>
  <auth>EXTERNAL</auth>
  <policy context="default">
    <allow send_destination="*" eavesdrop="true"/><allow eavesdrop="true"/><allow own="*"/>
  </policy>
</busconfig>
`;

/** A desktop session as far as its keyring goes: D-Bus and the real GNOME Keyring, in a folder. */
export class Desktop implements AsyncDisposable {
  readonly folder = mkdtempSync(join(tmpdir(), "seawall-desktop-"));
  readonly #running: ChildProcess[] = [];
  #daemon: ChildProcess | undefined;

  get address(): string {
    return `unix:path=${join(this.folder, "bus")}`;
  }

  get environment(): Record<string, string> {
    return {
      PATH: process.env["PATH"] ?? "/usr/bin:/bin",
      HOME: this.folder,
      XDG_DATA_HOME: join(this.folder, "data"),
      XDG_CONFIG_HOME: join(this.folder, "config"),
      XDG_RUNTIME_DIR: join(this.folder, "run"),
      DBUS_SESSION_BUS_ADDRESS: this.address,
    };
  }

  /** Starts the bus; no keyring yet. */
  static async start(): Promise<Desktop> {
    const desktop = new Desktop();
    for (const name of ["data", "config", "run"])
      mkdirSync(join(desktop.folder, name), { mode: 0o700 });
    const config = join(desktop.folder, "bus.conf");
    writeFileSync(config, busConfig(join(desktop.folder, "bus")));
    const bus = spawn(
      "dbus-daemon",
      ["--config-file", config, "--nofork", "--nopidfile", "--print-address=1"],
      { env: desktop.environment, stdio: ["ignore", "pipe", "ignore"] },
    );
    desktop.#running.push(bus);
    await once(bus.stdout, "data");
    return desktop;
  }

  /** Starts the keyring: unlocked with its password, or as after a login without one. */
  async startKeyring(how: "unlocked" | "locked"): Promise<void> {
    const args = [
      "--foreground",
      "--components=secrets",
      ...(how === "unlocked" ? ["--unlock"] : []),
    ];
    const daemon = spawn("gnome-keyring-daemon", args, {
      env: this.environment,
      cwd: this.folder,
      stdio: ["pipe", "ignore", "ignore"],
    });
    daemon.stdin.end("the keyring's password");
    this.#daemon = daemon;
    for (;;) {
      if (daemon.exitCode !== null) throw new Error("gnome-keyring-daemon has ended");
      const { stdout } = await run(
        "dbus-send",
        [
          "--session",
          "--print-reply",
          "--dest=org.freedesktop.DBus",
          "/",
          "org.freedesktop.DBus.NameHasOwner",
          "string:org.freedesktop.secrets",
        ],
        { env: this.environment },
      );
      if (stdout.includes("true")) return;
    }
  }

  async stopKeyring(): Promise<void> {
    await end(this.#daemon);
    this.#daemon = undefined;
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.stopKeyring();
    for (const child of this.#running) await end(child);
    rmSync(this.folder, { recursive: true, force: true });
  }
}

async function end(child: ChildProcess | undefined): Promise<void> {
  if (child === undefined || child.exitCode !== null || child.signalCode !== null) return;
  child.kill("SIGKILL");
  await once(child, "exit");
}
