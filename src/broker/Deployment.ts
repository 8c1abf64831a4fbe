import { isIP } from "node:net";
import type { ChatNotifyPlan, HostPlan, SecretSource } from "../plan/index.ts";
import type { SecretStore } from "../secrets/index.ts";
import { BrokerError } from "./BrokerError.ts";
import type {
  BrokerBot,
  BrokerConfig,
  BrokerGrant,
  BrokerIngress,
  BrokerMint,
} from "./BrokerConfig.ts";
import { isSigV4 } from "./decide/awsPlace.ts";
import { destinationKey } from "./destination.ts";
import { ClientCertificates } from "./inject/clientCertificate.ts";
import { materialNames } from "./mint/materialNames.ts";
import { PhantomIndex } from "./phantoms.ts";
import { compilePhantoms } from "./redact/BodyScanner.ts";
import type { PatternSet } from "./redact/PatternSet.ts";
import { Redactors } from "./redact/Redactors.ts";

const DNS_PORT = 53;

export type InjectBrokerGrant = Extract<BrokerGrant, { kind: "inject" }>;

/** One host of one grant of one bot. */
export interface Granted {
  readonly bot: string;
  readonly grant: BrokerGrant;
  readonly host: HostPlan;
}

/** A chat in which the owner is told that a call waits, and by which grant. */
export interface Chat {
  readonly plan: ChatNotifyPlan;
  readonly granted: Granted & { readonly grant: InjectBrokerGrant };
}

/** A bot, indexed the way connections and questions come in. */
export interface Bot {
  readonly name: string;
  readonly plan: BrokerBot;
  /** By `destinationKey(address, port)`. */
  readonly destinations: ReadonlyMap<string, readonly Granted[]>;
  /** By lower-case host name; IP literals are not in it. */
  readonly names: ReadonlyMap<string, { readonly v4?: string; readonly v6?: string }>;
}

/** The secrets that grants may name. */
type Known = Pick<Deployment, "secrets" | "minted">;

/** A configuration ready for use. Immutable: a new one replaces the old one as a whole. */
export interface Deployment {
  readonly bots: ReadonlyMap<string, Bot>;
  readonly secrets: ReadonlyMap<string, SecretSource>;
  /** Those that are made from others, by name. */
  readonly minted: ReadonlyMap<string, BrokerMint>;
  readonly store: SecretStore;
  readonly phantoms: PhantomIndex;
  /** By bot: the other bots' phantoms, which it can't have come by in an honest way. */
  readonly foreignPhantoms: ReadonlyMap<string, PatternSet>;
  readonly redactors: Redactors;
  readonly clientCertificates: ClientCertificates;
  /** What no record may hold: phantoms and gateway tokens. */
  readonly unrecorded: PhantomIndex;
  readonly chats: readonly Chat[];
}

/**
 * Indexes a configuration.
 *
 * @param earlier the one in force: values of secrets that it had may still come back in replies.
 * @throws BrokerError `config-invalid` when a grant names an undeclared secret, a bot, a grant or an
 * ingress port stands twice, a phantom is shared or too short to be told from other text, a host
 * can't be served as asked, or the owner can't be told by a grant as asked.
 */
export function compileDeployment(
  config: BrokerConfig,
  store: SecretStore,
  earlier?: Deployment,
): Deployment {
  const secrets = new Map(config.secrets.map((secret) => [secret.name, secret.source]));
  const minted = new Map((config.minted ?? []).map((each) => [each.name, each]));
  checkMinted(secrets, minted);
  const bots = new Map<string, Bot>();
  const ports = new Set<number>();
  const owners = new Map<string, string>();
  for (const plan of config.bots) {
    if (bots.has(plan.name)) throw invalid(`bot "${plan.name}" stands twice`);
    if (plan.proxy?.token !== undefined && plan.proxy.token.length < 16)
      throw invalid(`the proxy token of bot "${plan.name}" is shorter than 16 characters`);
    if (plan.ingress !== undefined) checkIngress(plan.name, plan.ingress, ports);
    bots.set(plan.name, compileBot(plan, { secrets, minted }, owners));
  }
  const tokens = config.bots.flatMap(({ ingress, proxy }) =>
    [ingress?.token ?? [], proxy?.token ?? []].flat(),
  );
  const foreignPhantoms = new Map(
    config.bots.map((bot) => [bot.name, foreignTo(bot, [...owners.keys()])]),
  );
  return {
    bots,
    secrets,
    minted,
    store,
    phantoms: new PhantomIndex([...owners.keys()], foreignPhantoms),
    foreignPhantoms,
    redactors: new Redactors(earlier?.redactors),
    clientCertificates: new ClientCertificates(),
    unrecorded: new PhantomIndex([...owners.keys(), ...tokens]),
    chats: (config.notify ?? []).map((plan) => compileChat(plan, bots)),
  };
}

function compileChat(plan: ChatNotifyPlan, bots: ReadonlyMap<string, Bot>): Chat {
  const { bot, place, path } = plan;
  const grant = bots.get(bot)?.plan.grants.find((each) => each.name === plan.grant);
  const host = grant?.hosts.find((each) => each.name === plan.host);
  if (grant?.kind !== "inject" || host === undefined)
    throw invalid(
      `the owner is told by grant "${plan.grant}" of bot "${bot}", which can't do that`,
    );
  if (place.in === "path" ? !path.startsWith(place.template) : path.includes("{secret}"))
    throw invalid(`the owner is told by a call without a place for its credential`);
  return { plan, granted: { bot, grant, host } };
}

function checkMinted(
  secrets: ReadonlyMap<string, SecretSource>,
  minted: ReadonlyMap<string, BrokerMint>,
): void {
  for (const { name, mint, endpoint, dial } of minted.values()) {
    if (secrets.has(name)) throw invalid(`secret "${name}" is both stored and made`);
    if (endpoint.host.scheme !== "https")
      throw invalid(`secret "${name}" is asked for without encryption`);
    for (const material of [...materialNames(mint), dial?.clientCertificate ?? []].flat())
      if (!secrets.has(material))
        throw invalid(`secret "${name}" is made from "${material}", which is not configured`);
  }
}

function checkIngress(bot: string, { port, token }: BrokerIngress, ports: Set<number>): void {
  if (ports.has(port)) throw invalid(`two bots have the ingress port ${port}`);
  if (token.length < 16)
    throw invalid(`the gateway token of bot "${bot}" is shorter than 16 characters`);
  ports.add(port);
}

function foreignTo(bot: BrokerBot, phantoms: readonly string[]): PatternSet {
  const own = new Set(
    bot.grants.flatMap((grant) =>
      grant.kind === "inject" ? [grant.phantom, grant.phantomSecret ?? ""] : [],
    ),
  );
  return compilePhantoms(phantoms.filter((phantom) => !own.has(phantom)));
}

function compileBot(plan: BrokerBot, secrets: Known, owners: Map<string, string>): Bot {
  const destinations = new Map<string, Granted[]>();
  const names = new Map<string, { v4?: string; v6?: string }>();
  const grants = new Set<string>();
  for (const grant of plan.grants) {
    const where = `grant "${grant.name}" of bot "${plan.name}"`;
    if (grants.has(grant.name)) throw invalid(`${where} stands twice`);
    grants.add(grant.name);
    if (grant.kind === "inject") checkInject(grant, plan.name, where, secrets, owners);
    for (const host of grant.hosts) {
      if (host.port === plan.proxy?.port)
        throw invalid(`${where} has a host at port ${host.port}, where the explicit proxy listens`);
      if (grant.kind === "tunnel" && host.scheme !== "https") {
        throw invalid(`${where} passes plain HTTP through, which nothing could check`);
      }
      const bare = grant.kind === "tcp" || (grant.kind === "inject" && grant.login !== undefined);
      if (bare !== (host.scheme === "tcp")) {
        throw invalid(`${where} has ${host.name}:${host.port} by a scheme that isn't its kind's`);
      }
      if (host.port === DNS_PORT)
        throw invalid(`${where} has port 53, where the names are answered`);
      const granted: Granted = { bot: plan.name, grant, host };
      for (const address of [host.v4, host.v6]) {
        if (address === undefined) continue;
        const key = destinationKey(address, host.port);
        const there = destinations.get(key) ?? [];
        // Nothing but the address names a host of this kind.
        if (there.some((other) => other.host.scheme === "tcp" || host.scheme === "tcp")) {
          throw invalid(`${where} shares the address and port of ${host.name}:${host.port}`);
        }
        if (
          there.some(
            (other) =>
              other.host.name === host.name &&
              (other.grant.kind === "tunnel" || grant.kind === "tunnel"),
          )
        ) {
          throw invalid(
            `${where} and another grant both have ${host.name}:${host.port}, one of them passed through`,
          );
        }
        if (there.some((other) => other.host.scheme !== host.scheme)) {
          throw invalid(
            `${where} has a second scheme at the address and port of ${host.name}:${host.port}`,
          );
        }
        destinations.set(key, [...there, granted]);
      }
      if (isIP(host.name) !== 0) continue;
      names.set(host.name, {
        ...names.get(host.name),
        ...(host.v4 === undefined ? {} : { v4: host.v4 }),
        ...(host.v6 === undefined ? {} : { v6: host.v6 }),
      });
    }
  }
  return { name: plan.name, plan, destinations, names };
}

function checkInject(
  grant: InjectBrokerGrant,
  bot: string,
  where: string,
  secrets: Known,
  owners: Map<string, string>,
): void {
  if (
    grant.secret !== "" &&
    !secrets.secrets.has(grant.secret) &&
    !secrets.minted.has(grant.secret)
  )
    throw invalid(`${where} needs secret "${grant.secret}", which is not configured`);
  if (grant.secret === "" && grant.places.some((place) => place.in !== "header"))
    throw invalid(`${where} takes no credential, so it has places for one in headers only`);
  if (grant.secret !== "" && grant.login === undefined && grant.places.length === 0)
    throw invalid(`${where} names no place for its credential`);
  const signs = grant.places.some(isSigV4);
  if (
    signs !== (grant.phantomSecret !== undefined) ||
    (signs && grant.places.some((place) => !isSigV4(place)))
  )
    throw invalid(`${where} signs its calls in part only`);
  if (signs && secrets.minted.has(grant.secret))
    throw invalid(`${where} signs with a secret that is made`);
  if ((grant.phantomSecret?.length ?? 32) < 32)
    throw invalid(`${where} has a phantom key shorter than 32 characters`);
  if (grant.phantom.length < 8) throw invalid(`${where} has a phantom shorter than 8 characters`);
  // A bot's clients of AWS read one pair of keys, whichever of its services they call.
  const owner = signs ? `the signing grants of bot "${bot}" by secret "${grant.secret}"` : where;
  for (const phantom of [grant.phantom, grant.phantomSecret ?? []].flat()) {
    const other = owners.get(phantom);
    if (other !== undefined && (!signs || other !== owner))
      throw invalid(`${where} has the phantom of ${other}`);
    owners.set(phantom, owner);
  }
  for (const place of grant.places) {
    if (
      place.in === "path" &&
      (!place.template.startsWith("/") || place.template.split("{secret}").length !== 2)
    ) {
      throw invalid(`${where} has a path place without exactly one {secret}`);
    }
    if (place.in === "header" && place.name !== place.name.toLowerCase()) {
      throw invalid(`${where} has a header place that is not in lower case`);
    }
    const pointers = [
      ...("pointer" in place ? [place.pointer] : []),
      ...("where" in place ? place.where.map(({ pointer }) => pointer) : []),
    ];
    if (pointers.some((pointer) => pointer !== "" && !pointer.startsWith("/"))) {
      throw invalid(`${where} has a JSON pointer that doesn't begin with a slash`);
    }
  }
}

function invalid(message: string): BrokerError {
  return new BrokerError("config-invalid", message);
}
