import { existsSync } from "node:fs";
import { basename } from "node:path";
import {
  askSupervisor,
  auditFile,
  readAddress,
  type Copy,
  type Generation,
  type InsidePaths,
  type ServiceSurroundings,
  type StatePaths,
} from "../host/index.ts";
import type { ResourceLimits } from "../wall/index.ts";
import { boundsFor } from "./boundsFor.ts";
import { commandField } from "./commandField.ts";
import { neighbourName } from "./copyGeneration.ts";
import type { Field, Place } from "./Field.ts";
import { findGrantedCall } from "./grantedCall.ts";
import { filesBelow } from "./range/plantFiles.ts";
import type { Range } from "./range/startRange.ts";

/** Programs that do something else under another name. */
const MULTICALL = /^(busybox|toybox|coreutils)/;

/** All that an attacker of this bot could want to know of its surroundings, the running deployment's too. */
export async function botField(options: {
  readonly range: Range;
  readonly copy: Copy;
  readonly generation: Generation;
  readonly bot: string;
  /** Inside. */
  readonly addon: string;
  /** Of the copy. */
  readonly state: StatePaths;
  /** Of the real deployment, which need not run. */
  readonly deployment: StatePaths;
  readonly declaration: string;
  readonly limits: ResourceLimits;
  readonly floodBytes: number;
  /** Where things lie inside. */
  readonly inside: InsidePaths;
  /** Id of a message that waits for the neighbour on the bridge. */
  readonly waiting: string | undefined;
  /** What systemd runs for the real deployment, if it does. */
  readonly services: ServiceSurroundings;
}): Promise<Field> {
  const { range, copy, generation, bot, state, deployment, limits, inside, services } = options;
  const plan = generation.plan.bots.find(({ name }) => name === bot);
  const parts = generation.bots[bot];
  if (plan === undefined || parts === undefined) throw new Error("no such bot");
  const both = [state, deployment];
  const there = (paths: readonly string[]): string[] => paths.filter((path) => existsSync(path));
  const real = (paths: readonly string[]): Place[] =>
    there(paths).map((path) => ({ path, planted: false }));
  const call = findGrantedCall(plan, copy.phantoms.get(bot) ?? new Map());
  const phantom = neighbourPhantom(copy, bot, call?.phantom);
  const { field } = range;
  const commands = inside.clients
    ? commandField(plan, { inside, neighbour: neighbourName(bot), waiting: options.waiting })
    : undefined;
  return {
    ...field,
    home: inside.home,
    addon: options.addon,
    secrets: {
      ...field.secrets,
      vault: there(both.flatMap(({ vault }) => [vault.file, vault.identity, vault.lockedIdentity])),
      authority: both.flatMap(({ authority }) => filesBelow(authority)),
      deployment: there(
        both.flatMap((paths) => [
          paths.phantomKey,
          paths.auditKey,
          ...filesBelow(paths.tokens),
          ...filesBelow(paths.run),
        ]),
      ),
    },
    processes: [
      ...field.processes,
      ...(await deploymentProcesses(copy, deployment)),
      ...services.processes,
    ],
    sockets: {
      ...field.sockets,
      supervisor: [
        ...field.sockets.supervisor,
        ...supervisorSocket(deployment),
        ...real(services.sockets),
      ],
    },
    places: {
      ...field.places,
      declaration: real([options.declaration]),
      deployment: real([
        ...both.flatMap(({ root, generations, users }) => [root, generations, users]),
        ...services.places,
      ]),
      record: real([
        ...both.flatMap((paths) => [paths.audit, auditFile(paths)]),
        ...services.records,
      ]),
      programs: real([
        generation.programs.launcher,
        generation.programs.node,
        parts.openclaw.root,
        parts.openclaw.entry,
      ]).concat(
        [inside.node, inside.openclaw, "/usr/lib"].map((path) => ({ path, planted: false })),
      ),
    },
    granted: [inside.node, ...parts.commands.map(({ name }) => `${inside.commands}/${name}`)],
    multicall: parts.commands
      .filter(({ path }) => MULTICALL.test(basename(path)))
      .map(({ name }) => `${inside.commands}/${name}`),
    ungranted: field.ungranted.filter(
      (path) => !parts.commands.some(({ name }) => name === basename(path)),
    ),
    configuration: [
      ...parts.rendered.files.map(({ to }) => to),
      "/etc/passwd",
      "/etc/resolv.conf",
      "/etc/hosts",
      inside.caBundle,
    ],
    neighbour: {
      ...field.neighbour,
      files: [...field.neighbour.files, state.bots, ...there([deployment.bots])],
      ...(phantom === undefined ? {} : { phantom }),
    },
    broker: {
      ...(call === undefined ? {} : { call }),
      hosts: plan.grants.flatMap(({ hosts }) => hosts.map(({ name, port }) => `${name}:${port}`)),
      ports: plan.ports,
      ...(plan.proxyPort === undefined ? {} : { proxyPort: plan.proxyPort }),
      ingressPort: plan.ingress.port,
      ...(commands === undefined ? {} : { commands }),
    },
    bounds: boundsFor(field.bounds, limits, options.floodBytes),
  };
}

/** The phantom that the neighbour has for the same grant. */
function neighbourPhantom(copy: Copy, bot: string, own: string | undefined): string | undefined {
  const grant = [...(copy.phantoms.get(bot) ?? [])].find(([, phantom]) => phantom === own)?.[0];
  return grant === undefined ? undefined : copy.phantoms.get(neighbourName(bot))?.get(grant);
}

async function deploymentProcesses(
  copy: Copy,
  deployment: StatePaths,
): Promise<Field["processes"]> {
  const named = (pid: number | undefined, what: string): Field["processes"] =>
    pid === undefined ? [] : [{ pid, what }];
  const reply = await askSupervisor(deployment, { verb: "status" }).catch(() => undefined);
  const status = reply?.kind === "status" ? reply.status : undefined;
  return [
    ...named(copy.brokerPid, "the broker"),
    ...named(status?.pid, "the supervisor"),
    ...named(status?.broker.pid, "the deployment's broker"),
    ...(status?.bots ?? []).flatMap(({ name, pid }) => named(pid, `the bot ${name}`)),
  ];
}

function supervisorSocket(deployment: StatePaths): Place[] {
  const address = readAddress(deployment);
  return address === undefined ? [] : [{ path: `@${address.socket}`, planted: false }];
}
