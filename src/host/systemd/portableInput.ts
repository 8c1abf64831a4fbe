import { readPin, renderConfig, type OpenClawPin } from "../../openclaw/index.ts";
import type { BotPlan, Plan } from "../../plan/index.ts";
import {
  SYSTEMD_PATHS,
  type SystemdInput,
  type SystemdSystem,
  type SystemdUpdate,
} from "../../targets/index.ts";
import type { HostCapabilities, Mount, ProgramFiles } from "../../wall/index.ts";
import type { BotGeneration, Programs } from "../Generation.ts";
import { SERVICE_INSIDE } from "../inside.ts";
import { commandEnvironment } from "./commandEnvironment.ts";
import { systemInput, type CodePlace } from "./systemInput.ts";
import { updateInput } from "./update/updateInput.ts";

const STORE = "/var/lib/seawall/store";

/**
 * A usual machine: x86-64 with Debian 12's systemd, a kernel with all of Landlock, merged /usr, our
 * code in /opt. It is what `seawall build` prints for, so that the same declaration gives the same
 * bytes wherever it is printed; `seawall switch` prints for the machine it is on.
 */
const USUAL_HOST: HostCapabilities = {
  architecture: "x86_64",
  kernel: "6.12",
  bubblewrap: undefined,
  namespaces: { ok: true },
  landlock: 6,
  seccomp: true,
  ipv6: true,
  noexec: true,
  countsProcesses: true,
  cgroups: { kind: "systemd", program: "/usr/bin/systemd-run", user: false },
  loaders: ["/lib64/ld-linux-x86-64.so.2"],
  mechanisms: [],
};

const PROGRAMS: Programs = {
  node: `${STORE}/node/bin/node`,
  launcher: `${STORE}/seawall-launch/seawall-launch`,
  shell: "/usr/bin/dash",
  client: `${STORE}/seawall-client/seawall-client`,
  browser: { chromium: "/usr/lib/chromium/chromium", program: `${STORE}/browser` },
};

/** Whole folders: which files of them a program uses is known on the machine itself only. */
const FILES: ProgramFiles = {
  mounts: [
    { kind: "read", from: "/usr/lib", to: "/usr/lib" },
    { kind: "read", from: "/usr/lib64", to: "/usr/lib64" },
    { kind: "link", to: "/lib", target: "usr/lib" },
    { kind: "link", to: "/lib64", target: "usr/lib64" },
  ],
  libraries: ["/usr/lib", "/usr/lib64"],
  execute: [],
};

/** What the systemd target prints for a usual machine. Reads nothing of this one. */
export function portableInput(plan: Plan, version = 252): SystemdInput {
  const system: SystemdSystem = {
    version,
    host: USUAL_HOST,
    paths: SYSTEMD_PATHS,
    programs: {
      launcher: PROGRAMS.launcher,
      ip: "/usr/sbin/ip",
      socketProxy: "/usr/lib/systemd/systemd-socket-proxyd",
      seawall: [PROGRAMS.node, "/opt/seawall/src/cli/main.ts"],
      caddy: "/usr/bin/caddy",
      tailscale: "/usr/bin/tailscale",
    },
  };
  const pins = new Map(
    [...new Set(plan.bots.map(({ openclaw }) => openclaw.version))].map((each) => [
      each,
      readPin(each),
    ]),
  );
  const bots = Object.fromEntries(
    plan.bots.map((bot) => [
      bot.name,
      portableBot(bot, pins.get(bot.openclaw.version) ?? readPin(bot.openclaw.version)),
    ]),
  );
  const place = {
    project: "/opt/seawall",
    cache: `${STORE}/broker-cache`,
    files: FILES,
    browser: {
      files: FILES,
      fonts: ["/etc/fonts", "/usr/share/fonts"].map((path): Mount => ({
        kind: "read",
        from: path,
        to: path,
      })),
    },
    system: ["/usr/lib", "/usr/lib64", "/etc"],
  };
  const machine = { node: PROGRAMS.node, state: "/var/lib/seawall", store: STORE };
  const update = updates(plan, place);
  return systemInput({ plan, programs: PROGRAMS, bots }, system, place, {
    ...(update === undefined ? {} : { update }),
    agents: {
      declaration: "/etc/seawall/seawall.json5",
      environment: commandEnvironment({ ...machine, project: place.project }),
    },
  });
}

function updates(plan: Plan, place: CodePlace): SystemdUpdate | undefined {
  const { autoUpdate } = plan;
  if (autoUpdate === undefined) return undefined;
  return updateInput(
    { ...plan, autoUpdate },
    {
      ...place,
      node: PROGRAMS.node,
      npm: `${STORE}/npm`,
      settings: {},
      state: "/var/lib/seawall",
      store: STORE,
    },
  );
}

function portableBot(plan: BotPlan, pin: OpenClawPin): BotGeneration {
  const root = `${STORE}/openclaw-${pin.version}`;
  return {
    openclaw: { root, entry: `${root}/${pin.entry}` },
    rendered: renderConfig(plan, SERVICE_INSIDE, pin),
    commands: plan.commands.map((name) => ({ name, path: `/usr/bin/${name}` })),
    cas: {},
  };
}
