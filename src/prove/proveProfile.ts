import { realpathSync } from "node:fs";
import { basename, join } from "node:path";
import { emptyProfile } from "../profiles/index.ts";
import { LAUNCHER, loadedCode, PolicyStore, prepareRun, type OwnFolders } from "../run/index.ts";
import {
  compileWall,
  placeProtections,
  probeHost,
  startWalled,
  type WallSpec,
} from "../wall/index.ts";
import { boundsFor } from "./boundsFor.ts";
import { chooseAttacks } from "./chooseAttacks.ts";
import type { Field } from "./Field.ts";
import { makeBundle } from "./makeBundle.ts";
import { makeReport, type ProveReport } from "./ProveReport.ts";
import { startRange, type Range } from "./range/startRange.ts";
import { runAttacks } from "./runAttacks.ts";
import { runningOf } from "./runningOf.ts";

export interface ProveProfileOptions {
  /** Name or file. */
  readonly profile: string;
  readonly onProgress: (text: string) => void;
  readonly signal: AbortSignal;
  readonly only?: readonly string[];
  /** Folders of the deployment that nothing may write. */
  readonly own: OwnFolders;
}

const INSIDE = "/opt/seawall-prove";
const MULTICALL = /^(busybox|toybox|coreutils)/;
/** Bytes; see proveBot. */
const MEMORY = 1024 ** 3;

/**
 * Attacks the wall that a profile of `seawall run` makes round Node, with the planted home as the
 * owner's and a repository in it as the working folder. Hosts and credentials that the profile
 * grants are left out: its network is none.
 *
 * @throws ProfileError, RunError; WallError when this host can't enforce it; ProveError.
 */
export async function proveProfile(options: ProveProfileOptions): Promise<ProveReport> {
  const began = performance.now();
  const chosen = chooseAttacks(options.only);
  const range = await startRange({ node: process.execPath, uid: undefined });
  try {
    const bundle = makeBundle(join(range.folder, "bundle"));
    const env = { ...process.env, HOME: range.planted.home, API_KEY: range.marker };
    const prepared = await prepareRun(
      {
        profile: options.profile,
        flags: emptyProfile("prove"),
        command: [process.execPath, `${INSIDE}/inside/main.ts`, `${INSIDE}/job.json`],
        workdir: range.planted.project,
      },
      // The profiles of whoever runs this, not of the planted home.
      {
        env: { XDG_CONFIG_HOME: configHome(), ...env },
        make: true,
        terminal: false,
        own: options.own,
      },
    );
    const store = new PolicyStore(join(range.folder, "policies"));
    const code = await loadedCode(prepared.layout, store);
    const spec = placeProtections(alter(prepared.spec(code), join(range.folder, "bundle")));
    const host = await probeHost({ launcher: LAUNCHER });
    const wall = compileWall(spec, host);
    const outcomes = await runAttacks({
      attacks: chosen,
      field: profileField(range, spec),
      job: bundle.job,
      witness: range.witness,
      markers: [range.marker],
      launch: () =>
        runningOf(
          startWalled(wall, {
            launcher: LAUNCHER,
            bwrap: host.bubblewrap?.path ?? "bwrap",
            stdout: "pipe",
            stderr: "pipe",
            onMessage: () => undefined,
          }),
        ),
      onProgress: options.onProgress,
      signal: options.signal,
    });
    return makeReport(outcomes, began);
  } finally {
    await range.close();
  }
}

function configHome(): string {
  return process.env["XDG_CONFIG_HOME"] ?? join(process.env["HOME"] ?? "/", ".config");
}

/** The attacks, which nothing of the profile would show. */
function alter(spec: WallSpec, bundle: string): WallSpec {
  const { memory } = spec.limits;
  return {
    ...spec,
    mounts: [...spec.mounts, { kind: "read", from: bundle, to: INSIDE }],
    libraries: [...spec.libraries, `${INSIDE}/attack.node`],
    limits: {
      ...spec.limits,
      ...(memory === undefined ? {} : { memory: Math.min(memory, MEMORY) }),
    },
  };
}

function profileField(range: Range, spec: WallSpec): Field {
  const { field, planted } = range;
  const granted = [spec.command[0], ...spec.execute];
  const names = new Set(granted.flatMap((path) => [basename(path), realName(path)]));
  return {
    ...field,
    home: "/tmp",
    addon: `${INSIDE}/attack.node`,
    granted,
    multicall: granted.filter((path) => MULTICALL.test(realName(path))),
    ungranted: field.ungranted.filter((path) => !names.has(basename(path))),
    configuration: ["/etc/passwd", "/etc/hosts"],
    places: {
      ...field.places,
      programs: [process.execPath, LAUNCHER, "/usr/lib", planted.project].map((path) => ({
        path,
        planted: false,
      })),
    },
    bounds: boundsFor(field.bounds, spec.limits, 0),
  };
}

function realName(path: string): string {
  try {
    return basename(realpathSync(path));
  } catch {
    return basename(path);
  }
}
