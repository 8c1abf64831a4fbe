import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import type { Mount, WallSpec } from "../wall/index.ts";
import { freePort } from "./freePort.ts";
import { LAUNCHER } from "./launcher.ts";
import type { PreparedRun } from "./prepareRun.ts";
import { CA_BUNDLE } from "./runSpec.ts";

/**
 * What a command gets in place of mounts and a network of its own, where this host has no user namespaces
 * and that was conceded: a folder on the host for its temporary files, and a port for the proxy. Gone
 * when it is disposed of.
 */
export interface SharedPlace extends Disposable {
  /** Port of the host's loopback that nothing listened at. */
  readonly proxyPort: number;
  /** The specification with what can't be mounted put where it can be had. */
  readonly adapt: (spec: WallSpec) => WallSpec;
}

/** Undefined unless it is conceded and needed. */
export async function openShared(
  { policy, searchPath }: PreparedRun,
  state: string,
): Promise<SharedPlace | undefined> {
  if (!policy.concessions.some(({ value }) => value === "no-user-namespaces")) return undefined;
  const { isShared, probeHost } = await import("../wall/index.ts");
  // Looked at anew each time: what was taken away a moment ago may have been given back.
  const host = await probeHost({ launcher: LAUNCHER, path: searchPath });
  if (!isShared({ namespaces: "own", concessions: ["no-user-namespaces"] }, host)) return undefined;
  const proxyPort = policy.network.proxyPort?.value ?? (await freePort());
  const parent = join(state, "shared");
  mkdirSync(parent, { recursive: true, mode: 0o700 });
  const folder = mkdtempSync(join(parent, "run-"));
  const temporary = join(folder, "tmp");
  mkdirSync(temporary, { mode: 0o700 });
  return {
    proxyPort,
    adapt: (spec) => adapt(spec, folder, temporary),
    [Symbol.dispose]: () => rmSync(folder, { recursive: true, force: true }),
  };
}

function adapt(spec: WallSpec, folder: string, temporary: string): WallSpec {
  const trust = join(folder, "ca-certificates.crt");
  const bundle = spec.mounts.find((mount) => mount.kind === "file" && mount.to === CA_BUNDLE);
  if (bundle?.kind === "file") writeFileSync(trust, bundle.text, { mode: 0o600 });
  const places = spec.mounts.flatMap((mount): readonly Mount[] => {
    // A program that is a link: what it leads to is where it is.
    if (mount.kind === "read" && mount.from !== mount.to) return [{ ...mount, to: mount.from }];
    return mount.kind === "memory" || mount.kind === "file" ? [] : [mount];
  });
  const known = new Map(places.map((mount) => [`${mount.kind} ${mount.to}`, mount]));
  return {
    ...spec,
    mounts: [
      ...known.values(),
      { kind: "write", from: temporary, to: temporary },
      ...(bundle === undefined ? [] : [{ kind: "read", from: trust, to: trust } as const]),
    ],
    environment: {
      ...Object.fromEntries(
        Object.entries(spec.environment).map(([name, value]) => [
          name,
          value === CA_BUNDLE ? trust : value,
        ]),
      ),
      TMPDIR: temporary,
      // Node's own fetch looks at no proxy unless told (Node 24).
      ...(spec.network.proxy === undefined ? {} : { NODE_USE_ENV_PROXY: "1" }),
    },
  };
}
