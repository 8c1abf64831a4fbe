import { domainToASCII } from "node:url";
import { isIP } from "node:net";
import ipaddr from "ipaddr.js";
import { commandOf, type EntryNotify, type ServiceEntry } from "../catalogue/index.ts";
import { isHostName, type DeclaredService, type Fault, type Path } from "../declaration/index.ts";
import { parsePhantom } from "./parsePhantom.ts";
import { planMessages } from "./planContent.ts";
import type { CommandPlan } from "./CommandPlan.ts";
import { planCommand } from "./planCommand.ts";
import { planHeaders } from "./planHeaders.ts";
import { planPlace } from "./planPlaces.ts";
import { allRules, checkEffect, planRules } from "./planRules.ts";
import type { HostPlan, MessageShape, PhantomShape, Place, Rule, UsageFormat } from "./Plan.ts";

/** A service ready to be granted, whether from the catalogue or from the declaration. */
export interface KnownService {
  readonly name: string;
  readonly hosts: readonly HostPlan[];
  readonly ownHost: boolean;
  readonly places: readonly Place[];
  readonly phantom: PhantomShape;
  readonly variable?: string;
  readonly rules: readonly Rule[];
  readonly deny: readonly Rule[];
  readonly anonymous: readonly Rule[];
  readonly messages: readonly MessageShape[];
  readonly challenge?: string;
  readonly usage?: UsageFormat;
  readonly notify?: EntryNotify;
  /** The one of `hosts` that git reaches. */
  readonly git?: string;
  readonly provider?: string;
  readonly channel?: string;
  readonly channelNeeds?: string;
  readonly plugin?: string;
  readonly keyless: boolean;
  /** Keys of a grant that say what a service may do which is code; absent for those on a network. */
  readonly program?: NonNullable<ServiceEntry["program"]>;
  readonly command?: CommandPlan;
  readonly login?: ServiceEntry["login"];
  /** For services of AWS, whose hosts a grant decides; see `placeInRegion`. */
  readonly entry?: ServiceEntry;
}

/** Joins the catalogue and the declaration's own services; faults are pushed to `faults`. */
export function resolveServices(
  declared: Readonly<Record<string, DeclaredService>>,
  catalogue: ReadonlyMap<string, ServiceEntry>,
  faults: Faults,
): ReadonlyMap<string, KnownService> {
  const services = new Map<string, KnownService>();
  for (const entry of catalogue.values()) {
    services.set(entry.name, resolveService(entry, ["catalogue", entry.name], faults));
  }
  for (const [name, entry] of Object.entries(declared)) {
    const path = ["services", name];
    if (catalogue.has(name)) {
      faults.push({
        code: "invalid",
        path,
        atKey: true,
        message: `the catalogue already has a service "${name}"`,
        hint: "choose another name",
      });
      continue;
    }
    services.set(name, resolveService(declaredEntry(name, entry), path, faults));
  }
  return services;
}

/** A service of the declaration's own in the form that those of the catalogue have. */
export function declaredEntry(name: string, declared: DeclaredService): ServiceEntry {
  const { about, variable, challenge, usage, git, headers, ...rest } = declared;
  return {
    ...rest,
    ...(variable === undefined ? {} : { variable }),
    ...(challenge === undefined ? {} : { challenge }),
    ...(usage === undefined ? {} : { usage }),
    ...(git === undefined ? {} : { git }),
    ...(headers === undefined ? {} : { headers }),
    name,
    title: about ?? `the service "${name}"`,
  };
}

type Faults = Fault[];

/** An access key's id, longer than AWS's own ones of 20 characters, to be as hard to guess as other phantoms. */
const AWS_KEY_ID: PhantomShape = [{ text: "AKIA" }, { alphabet: "base32", length: 20 }];

/** Resolves one entry; what is wrong with it is pushed to `faults`. */
export function resolveService(entry: ServiceEntry, path: Path, faults: Faults): KnownService {
  const { variable, provider, channel, channelNeeds, plugin, challenge, usage, git, notify } =
    entry;
  const command = commandOf(entry);
  const places = entry.credential.flatMap((p, i) =>
    planPlace(p, [...path, "credential", i], faults),
  );
  const signs = places.some((place) => place.in === "sigv4");
  const hosts = entry.hosts.flatMap((o, i) =>
    parseOrigin(signs ? inAnyRegion(o) : o, [...path, "hosts", i], faults),
  );
  if (signs && places.some((place) => place.in !== "sigv4")) {
    faults.push({
      code: "invalid",
      path: [...path, "credential"],
      message: "a call that is signed for AWS carries no other credential",
      hint: "make the other way a service of its own",
    });
  }
  if (git !== undefined && !hosts.some(({ name }) => name === git)) {
    faults.push({
      code: "invalid",
      path: [...path, "git"],
      message: "this is none of the service's hosts",
      hint: `its hosts are ${hosts.map(({ name }) => name).join(", ")}`,
    });
  }
  const scope = { hosts, places, git };
  const allow = planRules(entry.allow, "allow", scope, [...path, "allow"], faults);
  const deny = planRules(entry.deny ?? [], "forbid", scope, [...path, "deny"], faults);
  checkEffect(allow, deny, places, faults);
  const anonymous = planRules(
    entry.anonymous ?? [],
    "allow",
    scope,
    [...path, "anonymous"],
    faults,
  );
  return {
    name: entry.name,
    ownHost: entry.ownHost === true,
    hosts,
    places,
    phantom: signs
      ? AWS_KEY_ID
      : entry.program === undefined
        ? toShape(entry.phantom, [...path, "phantom"], faults)
        : [],
    ...(signs ? { entry } : {}),
    keyless: entry.keyless === true,
    rules: allRules(allow),
    deny: allRules(deny),
    // Where there is no key, a call needs none.
    anonymous: allRules(entry.keyless === true ? allow : anonymous),
    messages: planMessages(entry.messages ?? [], places, [...path, "messages"], faults),
    ...(variable === undefined ? {} : { variable }),
    ...(provider === undefined ? {} : { provider }),
    ...(channel === undefined ? {} : { channel }),
    ...(channelNeeds === undefined ? {} : { channelNeeds }),
    ...(plugin === undefined ? {} : { plugin }),
    ...(challenge === undefined ? {} : { challenge }),
    ...(usage === undefined ? {} : { usage }),
    ...(git === undefined ? {} : { git }),
    ...(notify === undefined ? {} : { notify }),
    ...(entry.program === undefined ? {} : { program: entry.program }),
    ...(entry.login === undefined ? {} : { login: entry.login }),
    ...(command === undefined
      ? {}
      : {
          command: {
            ...planCommand(command, [...path, "command"], faults),
            ...planHeaders(entry.headers, places, [...path, "headers"], faults),
          },
        }),
  };
}

function toShape(template: string, path: Path, faults: Faults): PhantomShape {
  const shape = parsePhantom(template);
  if (!("wrong" in shape)) return shape;
  faults.push({
    code: "invalid",
    path,
    message: `the phantom ${shape.wrong}`,
    hint: 'give its shape, as "ghp_{alphanumeric:36}"',
  });
  return [];
}

/** A host as it might be, so that all else about its service can be checked before a region is known. */
function inAnyRegion(origin: string): string {
  return origin.replaceAll("{region}", "region").replaceAll("{service}", "service");
}

/** An origin such as `https://api.example.com`; plain HTTP only to a private address written out. */
export function parseOrigin(origin: string, path: Path, faults: Faults): HostPlan[] {
  const url = URL.canParse(origin) ? new URL(origin) : undefined;
  const name = url === undefined ? "" : hostOf(url);
  if (url === undefined || !(isIP(name) !== 0 || isHostName(name))) {
    faults.push({
      code: "invalid",
      path,
      message: "this is not the origin of a service",
      hint: 'write scheme and host, as "https://api.example.com"',
    });
    return [];
  }
  if (url.protocol === "https:") {
    return [{ name, port: Number(url.port || 443), scheme: "https" }];
  }
  if (isIP(name) === 0 || !isPrivate(name)) {
    faults.push({
      code: "invalid",
      path,
      message: "a credential never travels in plain HTTP, except to a private address",
      hint: 'use https, or the address itself, as "http://10.0.0.5:8989"',
    });
    return [];
  }
  return [{ name, port: Number(url.port || 80), scheme: "http" }];
}

function hostOf(url: URL): string {
  const bare = url.hostname.replace(/^\[(.*)\]$/, "$1");
  return isIP(bare) === 0 ? domainToASCII(bare).replace(/\.$/, "") : bare;
}

function isPrivate(address: string): boolean {
  return ["private", "loopback", "uniqueLocal"].includes(ipaddr.parse(address).range());
}
