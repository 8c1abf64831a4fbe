import { dirname } from "node:path";
import { compareVersions, type RegistrySettings } from "../../../openclaw/index.ts";
import type { AutoUpdatePlan, Plan } from "../../../plan/index.ts";
import { FETCH_FOLDER, type SystemdUpdate } from "../../../targets/index.ts";
import { INSIDE } from "../../inside.ts";
import { libraryFolders } from "../../libraries.ts";
import { ownProcessSpec, resolverFiles } from "../../ownProcess.ts";
import { NPM_INSIDE, NPM_PROGRAM } from "../../storeNpm.ts";
import { commandEnvironment } from "../commandEnvironment.ts";
import type { CodePlace } from "../systemInput.ts";

/** Where the service that fetches writes, as it sees it. */
const FOLDER = `/var/lib/${FETCH_FOLDER}`;

/** Variables that tell the service what to look for; fetchMain.ts reads them. */
export const FETCH_VARIABLES = {
  have: "SEAWALL_HAVE",
  from: "SEAWALL_FROM",
  days: "SEAWALL_DAYS",
} as const;

/** What the units of updates are printed from. */
export function updateInput(
  plan: Plan & { readonly autoUpdate: AutoUpdatePlan },
  around: CodePlace & {
    readonly node: string;
    /** A folder of npm's, as `storeNpm` makes it. */
    readonly npm: string;
    readonly settings: RegistrySettings;
    readonly state: string;
    readonly store: string;
  },
): SystemdUpdate {
  const { node, npm, settings, project, cache } = around;
  const { from, days } = plan.autoUpdate;
  const versions = plan.bots.map(({ openclaw }) => openclaw.version).toSorted(compareVersions);
  const registry = {
    ...(settings.registry === undefined ? {} : { npm_config_registry: settings.registry }),
    ...(settings.proxy === undefined ? {} : { npm_config_https_proxy: settings.proxy }),
    ...(settings.cafile === undefined ? {} : { npm_config_cafile: settings.cafile }),
  };
  const own = ownProcessSpec({
    hostname: "fetch",
    node,
    project,
    main: `${project}/src/host/systemd/update/fetchMain.ts`,
    cache,
    readable: [
      ...(around.system ?? [...libraryFolders(), ...resolverFiles()]),
      `${project}/pins`,
      ...(settings.cafile === undefined ? [] : [settings.cafile]),
    ],
    concessions: [],
  });
  return {
    environment: {
      ...commandEnvironment(around),
      ...registry,
    },
    fetch: {
      ...own,
      cwd: FOLDER,
      environment: {
        PATH: INSIDE.commands,
        HOME: FOLDER,
        STATE_DIRECTORY: FOLDER,
        TMPDIR: `${FOLDER}/tmp`,
        [FETCH_VARIABLES.have]: versions[0] ?? "",
        [FETCH_VARIABLES.from]: from,
        [FETCH_VARIABLES.days]: String(days),
        npm_config_cache: `${FOLDER}/npm`,
        npm_config_update_notifier: "false",
        ...registry,
      },
      identity: { uid: 0, gid: 0 },
      mounts: [
        ...own.mounts,
        { kind: "read", from: dirname(node), to: dirname(INSIDE.node) },
        { kind: "read", from: npm, to: NPM_INSIDE },
        { kind: "read", from: `${npm}/${NPM_PROGRAM}`, to: `${INSIDE.commands}/npm` },
      ],
      // npm is another one.
      processes: "any",
    },
  };
}
